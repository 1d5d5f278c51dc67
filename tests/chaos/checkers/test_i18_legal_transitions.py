"""I-18 on tiny histories."""

from __future__ import annotations

from itertools import permutations

import pytest

from chaos.checkers.i18_legal_transitions import LEGAL
from tests.chaos.histories import Story

ROUTES = [
    ("closing", "closed", "paid_late", "completed"),
    ("paid", "fulfilling", "refunding", "refunded"),
    ("held", "paid", "completed"),
    ("held", "refunding", "refunded"),
    ("closed", "paid_late", "refunded"),
]


@pytest.mark.parametrize("route", ROUTES)
def test_legal_routes_hold(route: tuple[str, ...]) -> None:
    """Every step on the table."""
    story = Story().place()
    for status in route:
        story.move("O1", status)
    verdict = story.verdict("I-18")
    assert (verdict.outcome, verdict.checked) == ("holds", 1 + len(route))


@pytest.mark.parametrize("terminal", ["completed", "refunded"])
def test_nothing_leaves_a_terminal_state(terminal: str) -> None:
    """Only closed has a way out."""
    assert LEGAL[terminal] == frozenset()
    (witness,) = Story().place().pay().move("O1", terminal).move("O1", "paid").verdict("I-18").witnesses
    assert (witness.words, witness.id, witness.amount_fen) == ("illegal", "O1", 1000)
    assert (witness.data["before"], witness.data["after"]) == (terminal, "paid")


def test_closed_to_paid_is_illegal() -> None:
    """Late money makes it paid_late."""
    assert Story().place().move("O1", "closed").move("O1", "paid").verdict("I-18").outcome == "violated"


def test_a_status_without_a_log_row_is_silent() -> None:
    """The row changed and nobody wrote why."""
    (witness,) = Story().place().order("O1", status="paid").verdict("I-18").witnesses
    assert (witness.words, witness.data["after"]) == ("silent", "paid")


def test_a_log_with_a_gap_violates() -> None:
    """The log says it came from somewhere else."""
    story = Story().place()
    with story:
        story.order("O1", status="completed").log("O1", "fulfilling", "completed")
    assert story.verdict("I-18").witnesses[0].words == "gap"


def test_log_rows_of_one_transaction_chain_in_any_order() -> None:
    """A key changed twice appears once; several log rows chain."""
    story = Story().place()
    with story:
        story.order("O1", status="completed")
        story.log("O1", "paid", "fulfilling").log("O1", "created", "paid").log(
            "O1", "fulfilling", "completed"
        )
    assert story.verdict("I-18").outcome == "holds"


def test_a_failover_takes_log_and_row_back_together() -> None:
    """After a revert the chain goes on from the status that is left."""
    story = Story().place()
    created = dict(story.orders["O1"])
    story.move("O1", "paid")
    with story:
        story.state("order_log", "L2", None, "revert").state("orders", "O1", created, "revert")
    story.orders["O1"] = created
    assert story.move("O1", "paid").verdict("I-18").outcome == "holds"


def test_a_log_row_lost_without_its_order_is_undecided() -> None:
    """A failover that took back the log of an order nobody has a row of."""
    story = Story().log("O9", "", "created").state("order_log", "L1", None, "revert")
    verdicts = story.verdict("I-18")
    assert verdicts.outcome == "violated"  # the first row already came without its order
    story = Story().place().state("orders", "O1", None, "revert").state("order_log", "L1", None, "revert")
    verdict = story.verdict("I-18")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "row_lost")


STATES = (
    "created", "closing", "closed", "paid", "paid_late", "fulfilling", "held", "refunding", "refunded", "completed",
)  # fmt: skip
STEPS = """
created>paid created>closing created>closed created>held closing>closed closing>paid closing>held closed>paid_late
paid>fulfilling paid>completed paid>refunding paid>refunded paid>held paid_late>fulfilling paid_late>completed
paid_late>refunding paid_late>refunded paid_late>held fulfilling>completed fulfilling>refunding fulfilling>refunded
fulfilling>held held>refunding held>refunded held>paid refunding>refunded
"""


def wrong_steps(*route: str) -> int:
    story = Story().place()
    for status in route:
        story.move("O1", status)
    return story.verdict("I-18").count


@pytest.mark.parametrize(("before", "after"), list(permutations(STATES, 2)))
def test_every_step_is_on_the_list_or_wrong(before: str, after: str) -> None:
    """Ten states: 26 steps are legal, the rest is not, whatever led there."""
    reached = () if before == "created" else (before,)
    allowed = f"{before}>{after}" in STEPS.split()
    assert wrong_steps(*reached, after) - wrong_steps(*reached) == (not allowed)


def test_an_order_must_begin_as_created() -> None:
    """Nothing else comes out of nowhere."""
    story = Story()
    story.orders["O1"] = {
        "order_id": "O1",
        "user": "u1",
        "client_key": "k",
        "payable_fen": 700,
        "status": "paid",
    }
    with story:
        story.order("O1", "insert").log("O1", "", "paid")
    assert [witness.words for witness in story.verdict("I-18").witnesses] == ["illegal"]


def test_a_log_without_an_order_costs_what_was_paid() -> None:
    """There is no price to go by."""
    story = Story().book("CH", "captured", "O9/c1", paid_fen=700, payer="u1").log("O9", "", "created")
    (witness,) = story.verdict("I-18").witnesses
    assert (witness.words, witness.amount_fen) == ("silent", 700)


def test_an_order_that_a_failover_takes_back_with_its_log_or_keeps_is_decided() -> None:
    """Only a log that goes while nobody has the row is in doubt."""
    both = Story().place()
    with both:
        both.state("orders", "O1", None, "revert").state("order_log", "L1", None, "revert")
    assert both.verdict("I-18").outcome == "holds"
    kept = Story().place().move("O1", "paid").state("order_log", "L2", None, "revert")
    assert kept.verdict("I-18").outcome == "holds"
    alone = Story().place().state("orders", "O1", None, "revert").charge_row("O1/c1", "revert")
    assert alone.verdict("I-18").outcome == "holds"
