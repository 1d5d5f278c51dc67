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
