"""I-01 on tiny histories."""

from __future__ import annotations

import pytest

from tests.chaos.histories import Story


def test_a_delivered_order_accounts_for_its_money() -> None:
    """captured = delivered."""
    verdict = Story().plain().end().verdict("I-01")
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_a_refunded_order_accounts_for_its_money() -> None:
    """captured = refund done by the channel."""
    assert Story().place().pay().refund().end().verdict("I-01").outcome == "holds"


def test_credit_that_became_the_refund_accounts_for_the_money() -> None:
    """captured = net wallet credit, once credit_final has emptied suspense."""
    story = Story().place().pay().credit().settle_credit("credit_final").end()
    assert story.verdict("I-01").outcome == "holds"


@pytest.mark.parametrize("posting", ["credit_void", "credit_loss"])
def test_a_settled_make_good_beside_the_goods_accounts_for_the_money(posting: str) -> None:
    """K-17: voided, or booked as a loss that finance approved."""
    assert (
        Story().place().pay().credit().sell().settle_credit(posting).end().verdict("I-01").outcome == "holds"
    )


def test_a_capture_nobody_booked_is_owed() -> None:
    """The channel has the money; goods, refund and credit are all missing."""
    verdict = Story().place().capture().end().verdict("I-01")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "owed",
        "O1",
        1000,
    )
    assert witness.users == ("u1",)
    assert verdict.amount_fen == 1000


def test_money_left_in_suspense_is_named() -> None:
    """A capture that was booked and then forgotten is in suspense when all is quiet."""
    (witness,) = Story().place().pay().end().verdict("I-01").witnesses
    assert (witness.words, witness.amount_fen, witness.data["suspense_fen"]) == ("suspense", 1000, 1000)


def test_a_false_success_is_owed() -> None:
    """The supplier's book has no delivery: whatever the platform posted, the member got nothing."""
    story = Story().place(sku="topup").pay()
    story.posting("O1", "delivery", ("suspense", 3000), ("revenue", -3000)).move("O1", "completed").end()
    (witness,) = story.verdict("I-01").witnesses
    assert (witness.words, witness.amount_fen, witness.data["units"]) == ("owed", 3000, 0)


def test_suspense_that_stands_for_no_money_is_misbooked() -> None:
    """Delivered, but the capture was booked twice: the ledger holds money that is not there."""
    (witness,) = Story().place().capture().apply().apply().sell().end().verdict("I-01").witnesses
    assert (witness.words, witness.amount_fen) == ("misbooked", 1000)


def test_two_portions_for_one_capture_are_overpaid() -> None:
    """What goes out beyond the capture is the platform's loss."""
    story = Story().plain().card("extra", "sold", "O1").end()
    (witness,) = story.verdict("I-01").witnesses
    assert (witness.words, witness.amount_fen) == ("overpaid", 1000)


def test_an_orphan_capture_must_go_back_in_full() -> None:
    """Money on the shop's static code belongs to no order: only a refund accounts for it."""
    story = Story().book("CH", "captured", "Q-u9-1/c1", paid_fen=700, payer="u9")
    kept = story.end().verdict("I-01")
    assert (kept.witnesses[0].id, kept.witnesses[0].amount_fen, kept.witnesses[0].users) == (
        "Q-u9-1",
        700,
        ("u9",),
    )
    returned = Story().book("CH", "captured", "Q-u9-1/c1", paid_fen=700, payer="u9")
    returned.book("CH", "refund_accepted", "Q-u9-1/c1", refund_no="r", amount_fen=700)
    returned.book("CH", "refund_done", "Q-u9-1/c1", refund_no="r", amount_fen=700).end()
    assert returned.verdict("I-01").outcome == "holds"


def test_a_wallet_payment_counts_as_capture() -> None:
    """An order paid from the wallet and delivered is even."""
    story = Story().place(user="rich")
    story.posting("O1", "wallet_payment", ("wallet:rich", 1000), ("suspense", -1000)).wallet("rich", 9000)
    assert story.sell().end().verdict("I-01").outcome == "holds"


def test_a_refund_the_channel_has_accepted_but_not_done_is_undecided() -> None:
    """Accepted is not done; where the money is cannot be said."""
    story = Story().place().pay().refund(done=False)
    story.posting("O1", "refund", ("suspense", 1000), ("channel:wechat", -1000)).end()
    verdict = story.verdict("I-01")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "refund_open")


def test_an_unfinished_run_decides_nothing() -> None:
    """At quiescence means at quiescence."""
    verdict = Story().place().capture().verdict("I-01")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "unfinished")


@pytest.mark.parametrize(
    ("story", "words"),
    [
        (Story().place().card("O1-card0", "sold", "O1"), "overpaid"),
        (Story().place().credit(), "overpaid"),
        (
            Story().place().posting("O1", "capture", ("channel:wechat", 1000), ("suspense", -1000)),
            "misbooked",
        ),
        (Story().place().book("CH", "refund_done", "O1/c1", refund_no="r", amount_fen=1000), "overpaid"),
    ],
    ids=["goods", "credit", "suspense", "refund"],
)
def test_an_order_nobody_paid_is_judged_as_soon_as_anything_moved(story: Story, words: str) -> None:
    """Goods, credit, suspense or a refund without a capture: each alone is enough to look."""
    (witness,) = story.end().verdict("I-01").witnesses
    assert (witness.words, witness.amount_fen) == (words, 1000)


def test_an_order_that_nobody_paid_and_nothing_came_of_is_not_counted() -> None:
    """`checked` says how many orders had money or goods to account for."""
    assert Story().place().end().verdict("I-01").checked == 0


def test_a_single_fen_is_money() -> None:
    """One fen more than the price was captured, and never came back."""
    (witness,) = Story().place().capture(paid_fen=1001).sell().end().verdict("I-01").witnesses
    assert (witness.words, witness.amount_fen) == ("owed", 1)


def test_goods_of_an_order_that_a_failover_lost_are_undecided() -> None:
    """Without the row nobody knows what they cost."""
    lost = Story().plain().state("orders", "O1", None, "revert").end().verdict("I-01")
    assert [(lost.outcome, doubt.words) for doubt in lost.witnesses] == [("unknown", "row_lost")]


def test_money_of_an_order_that_a_failover_lost_is_owed_when_no_goods_went_out() -> None:
    """The channel's book needs no row."""
    lost = Story().place().capture().state("orders", "O1", None, "revert").end().verdict("I-01")
    assert [witness.words for witness in lost.witnesses] == ["owed"]


def test_an_order_that_a_failover_lost_and_that_came_back_is_judged() -> None:
    """Its price is known again."""
    story = Story().plain().state("orders", "O1", None, "revert").order("O1", "insert")
    assert story.end().verdict("I-01").outcome != "unknown"


def test_goods_for_an_order_that_never_was_are_no_matter_of_a_failover() -> None:
    """Nothing was lost, so nothing is left open: the money is owed."""
    story = Story().book("CH", "captured", "O9/c1", paid_fen=1000, payer="u1").card("x", "sold", "O9").end()
    assert [witness.words for witness in story.verdict("I-01").witnesses] == ["owed"]


def test_a_refund_that_is_open_excuses_no_more_than_its_own_amount() -> None:
    """400 of 1000 fen are on their way; of the rest nothing is to be seen."""
    (witness,) = Story().place().capture().refund(amount_fen=400, done=False).end().verdict("I-01").witnesses
    assert (witness.words, witness.amount_fen) == ("owed", 1000)
