"""I-02 on tiny histories."""

from __future__ import annotations

from tests.chaos.histories import Story


def test_goods_of_a_paid_order_are_paid_for() -> None:
    """One capture, one portion; the secret shown is the card sold."""
    verdict = Story().plain().view(cards=("O1-card0",)).verdict("I-02")
    assert (verdict.outcome, verdict.checked) == ("holds", 2)


def test_goods_without_a_capture_violate() -> None:
    """A card handed out that nobody paid."""
    verdict = Story().place().sell().verdict("I-02")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "unpaid",
        "O1",
        1000,
    )


def test_a_second_card_for_one_capture_violates() -> None:
    """X-32: many clicks on pay yield many cards."""
    verdict = Story().plain().card("extra", "sold", "O1").verdict("I-02")
    (witness,) = verdict.witnesses
    assert (witness.words, witness.amount_fen, witness.data) == (
        "too_many",
        1000,
        {"units": 2, "quantity": 1},
    )
    assert len(witness.events) == 2


def test_a_second_membership_grant_violates() -> None:
    """Each grant of the order's source counts as a portion."""
    story = Story().place(sku="month").pay()
    for n in (1, 2):
        row = {"grant_id": f"G{n}", "user": "u1", "source": f"O1:{n}", "order_id": "O1", "days": 30}
        story.state("grants", f"G{n}", row, "insert")
    assert story.verdict("I-02").witnesses[0].amount_fen == 2500


def test_a_grant_from_a_compensation_is_no_portion() -> None:
    """It maps to its CMP id."""
    story = Story().place(sku="month").pay()
    story.state("grants", "G1", {"source": "O1", "order_id": "O1", "days": 30}, "insert")
    source = story.compensation("O1", "K-02", 0, action="extend")
    story.state("grants", "G2", {"source": source, "order_id": "O1", "days": 1}, "insert")
    assert story.verdict("I-02").outcome == "holds"


def test_rows_of_one_transaction_are_judged_together() -> None:
    """The card's row may stand before the posting that pays for it."""
    story = Story().place(user="rich")
    with story:
        story.card("O1-card0", "sold", "O1")
        story.posting("O1", "wallet_payment", ("wallet:rich", 1000), ("suspense", -1000))
    assert story.verdict("I-02").outcome == "holds"


def test_an_error_text_shown_as_goods_violates() -> None:
    """X-31: an error text stored as goods and marked delivered."""
    (witness,) = Story().plain().view(cards=("upstream timeout",)).verdict("I-02").witnesses
    assert (witness.words, witness.id, witness.amount_fen) == ("not_goods", "O1", 1000)
    assert witness.data["shown"] == "secret-upstream timeout"


def test_a_supplier_delivery_without_a_capture_violates() -> None:
    """Top-ups count in the supplier's book."""
    story = Story().place(sku="topup").book("SUP", "attempt_received", "O1/s1", sku="topup", quantity=1)
    story.book("SUP", "delivered", "O1/s1", quantity=1, cost_fen=2000)
    assert story.verdict("I-02").witnesses[0].words == "unpaid"


def test_a_reissue_is_a_second_portion_and_no_third() -> None:
    """A compensation may be the goods again."""
    story = Story().plain()
    story.compensation("O1", "K-01", 0, action="reissue")
    assert story.card("extra", "sold", "O1").verdict("I-02").outcome == "holds"
    assert story.card("third", "sold", "O1").verdict("I-02").witnesses[0].data == {"units": 3, "quantity": 1}


def test_a_credit_is_no_portion() -> None:
    """Only goods map to goods."""
    story = Story().plain()
    story.compensation("O1", "K-01", 0, action="credit")
    assert story.card("extra", "sold", "O1").verdict("I-02").outcome == "violated"


def test_a_secret_sold_to_the_order_and_lost_in_a_failover_was_real() -> None:
    """The buyer read it before the sale was forgotten."""
    story = Story().plain()
    op = story.invoke("u1", "view_order", order_id="O1")
    story.card("O1-card0", "available", "", "revert")
    answered = story.answer(
        op, "u1", "view_order", order_id="O1", status="completed", cards=["secret-O1-card0"]
    )
    assert answered.verdict("I-02").outcome == "holds"


def test_a_top_up_delivered_in_nothing_is_nothing() -> None:
    """Zero units need no payment."""
    story = Story().place(sku="topup").book("SUP", "delivered", "O1/s1", quantity=0)
    assert (story.verdict("I-02").outcome, story.verdict("I-02").checked) == ("holds", 0)


def test_goods_of_an_order_whose_row_a_failover_lost_are_undecided() -> None:
    """How many units were ordered cannot be known any more."""
    story = Story().place().pay()
    story.state("orders", "O1", None, "revert").card("O1-card0", "sold", "O1")
    verdict = story.verdict("I-02")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "row_lost")


def test_goods_of_an_order_that_never_was_violate() -> None:
    """Paid, but for no order that anybody placed."""
    story = Story().book("CH", "captured", "O9/c1", paid_fen=800, payer="u9").card("C9", "sold", "O9")
    assert story.verdict("I-02").witnesses[0].words == "no_order"


def test_a_top_up_that_nobody_paid_violates_when_the_supplier_delivers() -> None:
    """The supplier's book is enough: no row of the platform has to change first."""
    story = Story().place(sku="topup").book("SUP", "delivered", "O1/s1", quantity=1, account="a")
    (witness,) = story.verdict("I-02").witnesses
    assert (witness.words, witness.amount_fen) == ("unpaid", 3000)


def test_a_reissue_needs_no_capture_and_is_one_portion() -> None:
    """Goods may map to a compensation instead of a capture, but then to that one alone."""
    story = Story().place()
    story.compensation("O1", "K-01", 0, action="reissue")
    assert story.card("O1-card0", "sold", "O1").verdict("I-02").outcome == "holds"
    (witness,) = story.card("extra", "sold", "O1").verdict("I-02").witnesses
    assert (witness.words, witness.data["units"]) == ("too_many", 2)


def test_a_redelivery_is_a_portion_of_its_own() -> None:
    """K-13 delivers again beside the capture; a third portion belongs to nobody."""
    story = Story().plain()
    story.compensation("O1", "K-13", 0, action="redeliver")
    assert story.card("again", "sold", "O1").verdict("I-02").outcome == "holds"
    assert story.card("more", "sold", "O1").verdict("I-02").outcome == "violated"


def test_cards_that_were_taken_back_are_no_evidence_of_the_delivery() -> None:
    """The witness points to what went out."""
    story = Story().plain().card("O1-card0", "void", "O1").card("a", "sold", "O1").card("b", "sold", "O1")
    (witness,) = story.verdict("I-02").witnesses
    went_out = [event for event in witness.events if story.events[event].row["status"] == "sold"]  # type: ignore[union-attr,index]
    assert len(witness.events) == len(went_out) == 3


def test_what_the_last_look_shows_must_be_goods_too() -> None:
    """Each wrong list of secrets is told once, however many are wrong."""
    story = Story().plain().read("order", "O1", status="completed", cards=["oops", "again"])
    verdict = story.verdict("I-02")
    assert [witness.data["shown"] for witness in verdict.witnesses] == ["oops"]


def test_secrets_shown_of_an_order_that_no_book_knows_are_nobodys_goods_to_judge() -> None:
    """A read of something else than an order, or of one that is gone, has nothing to compare with."""
    assert Story().plain().read("order", "O9", cards=["x"]).verdict("I-02").outcome == "holds"


def test_a_long_text_shown_as_goods_is_cut_in_the_witness() -> None:
    """80 characters are enough to know an error page by."""
    (witness,) = Story().plain().view(cards=("x" * 100,)).verdict("I-02").witnesses
    assert len(str(witness.data["shown"])) == 80


def test_secrets_shown_for_a_lost_order_are_judged_without_its_price() -> None:
    """The row is gone, so nobody knows what the goods were worth."""
    story = Story().plain().state("orders", "O1", None, "revert").view(cards=("oops",))
    assert [witness.amount_fen for witness in story.verdict("I-02").witnesses] == [0]
