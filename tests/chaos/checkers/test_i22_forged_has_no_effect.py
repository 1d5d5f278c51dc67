"""I-22 on tiny histories."""

from __future__ import annotations

import pytest

from tests.chaos.histories import Story


def forged(forgery: str = "unpaid") -> Story:
    return Story().place().fault("channel.callback_forged", charge_no="O1/c1", forgery=forgery)


def test_a_forgery_without_effect_holds() -> None:
    """Refused, and the order was paid honestly later."""
    verdict = forged().pay().sell().verdict("I-22")
    assert (verdict.outcome, verdict.checked) == ("holds", 2)


def test_a_charge_held_paid_without_a_capture_violates() -> None:
    """X-14: a valid signature, but the channel says unpaid."""
    verdict = forged().charge_row("O1/c1", status="paid", paid_fen=1000).verdict("I-22")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "charge_paid",
        "O1",
        1000,
    )
    assert (witness.data["forgery"], len(witness.events)) == ("unpaid", 2)


def test_the_nemesis_names_the_charge_by_its_key() -> None:
    """Evidence of a fault carries the site's key."""
    story = Story().place().fault("channel.callback_forged", key=["O1/c1"], forgery="app").move("O1", "paid")
    (witness,) = story.verdict("I-22").witnesses
    assert witness.data["forgery"] == "app"


def test_a_capture_booked_without_money_violates() -> None:
    """The ledger says channel money that the channel has not got."""
    story = forged().posting("O1", "capture", ("channel:wechat", 1000), ("suspense", -1000))
    (witness,) = story.verdict("I-22").witnesses
    assert (witness.words, witness.amount_fen) == ("booked", 1000)


def test_an_order_paid_without_money_violates() -> None:
    """X-13: a callback replayed onto another order."""
    (witness,) = forged("order").move("O1", "paid").verdict("I-22").witnesses
    assert (witness.words, witness.data["forgery"]) == ("order_paid", "order")


def test_another_amount_than_captured_violates() -> None:
    """A forged amount over a real capture."""
    story = forged("amount").capture().charge_row("O1/c1", status="paid", paid_fen=1)
    (witness,) = story.verdict("I-22").witnesses
    assert (witness.words, witness.amount_fen, witness.data["booked_fen"]) == ("other_amount", 999, 1)


def test_a_wallet_payment_needs_no_channel() -> None:
    """An order may be paid with no capture at a channel."""
    story = Story().place(user="rich")
    with story:
        story.posting("O1", "wallet_payment", ("wallet:rich", 1000), ("suspense", -1000))
        story.order("O1", status="paid").log("O1", "created", "paid")
    assert story.verdict("I-22").outcome == "holds"


def test_a_forgery_on_an_unnamed_charge_is_undecided() -> None:
    """Which order it aimed at is not in the history."""
    verdict = Story().plain().fault("channel.callback_forged", forgery="app").verdict("I-22")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "forged_unknown")


@pytest.mark.parametrize("status", ["paid", "paid_late", "fulfilling", "completed"])
def test_no_order_is_called_paid_without_money(status: str) -> None:
    """Paid, paid late, under way or completed: each says that money came."""
    (witness,) = Story().place().move("O1", status).verdict("I-22").witnesses
    assert (witness.words, witness.amount_fen) == ("order_paid", 1000)


@pytest.mark.parametrize("status", ["closing", "closed", "held", "refunding", "refunded"])
def test_other_states_say_nothing_of_money(status: str) -> None:
    """Nobody is called paid."""
    assert Story().place().move("O1", status).verdict("I-22").outcome == "holds"


def test_an_order_is_called_paid_once() -> None:
    """Going on from there is no second payment."""
    assert Story().place().move("O1", "paid").move("O1", "fulfilling").verdict("I-22").count == 1


def test_what_a_failover_brings_back_is_no_forgery() -> None:
    """An older row of a charge may say anything."""
    story = Story().place().charge_row("O1/c1", "revert", status="paid", paid_fen=1000)
    assert story.verdict("I-22").outcome == "holds"


def test_a_forgery_that_was_only_planned_is_none() -> None:
    """The window of the fault is not a callback."""
    story = Story().fault("channel.callback_forged", "start").fault("channel.callback_forged", "end")
    verdict = story.verdict("I-22")
    assert (verdict.outcome, verdict.checked) == ("holds", 0)


def test_a_charge_that_claims_no_amount_of_its_own_costs_its_price() -> None:
    """What the row says was paid, else what was asked for; the witness names charge and forgery."""
    story = forged().charge_row("O1/c1", status="paid", paid_fen=0)
    (witness,) = story.verdict("I-22").witnesses
    assert (witness.amount_fen, witness.data["charge"], witness.data["paid_fen"]) == (1000, "O1/c1", 0)
    paid = Story().place().charge_row("O1/c1", status="paid", paid_fen=700).verdict("I-22")
    assert (paid.amount_fen, len(paid.witnesses[0].events)) == (700, 1)


def test_the_capture_of_a_charge_stands_in_the_witness_of_another_amount() -> None:
    """Captured 1000, booked 1."""
    story = Story().place().capture().charge_row("O1/c1", status="paid", paid_fen=1)
    (witness,) = story.verdict("I-22").witnesses
    assert (witness.data["paid_fen"], witness.data["booked_fen"]) == (1000, 1)


def test_a_charge_whose_row_is_gone_claims_nothing() -> None:
    """Beside one that is there."""
    story = Story().plain().state("charges", "O1/c1", None).charge_row("O1/c2", "insert")
    assert story.verdict("I-22").outcome == "holds"


def test_a_booked_capture_is_looked_at_when_the_ledger_moves() -> None:
    """A channel capture that came after all makes it good before anybody looks again."""
    story = Story().place().capture()
    story.posting("O1", "capture", ("channel:wechat", 1000), ("suspense", -1000))
    assert story.order("O1", refunded_qty=0).verdict("I-22").outcome == "holds"
