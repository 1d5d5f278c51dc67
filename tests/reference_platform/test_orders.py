"""The order's state machine and its audit log."""

from __future__ import annotations

import pytest

from reference_platform.orders import LEGAL, IllegalTransition
from reference_platform.tables import ORDER_LOG, ORDERS
from tests.reference_platform.floor import Floor

DOCUMENTED = """
    created    → paid, closing, closed, held
    closing    → closed, paid, held
    closed     → paid_late
    paid       → fulfilling, completed, refunding, refunded, held
    paid_late  → fulfilling, completed, refunding, refunded, held
    fulfilling → completed, refunding, refunded, held
    held       → refunding, refunded, paid
    refunding  → refunded
"""


def test_the_state_machine_is_the_documented_one() -> None:
    """docs/history.md is a contract with the checkers."""
    documented = {}
    for line in DOCUMENTED.strip().splitlines():
        before, _, after = line.partition("→")
        documented[before.strip()] = tuple(status.strip() for status in after.split(","))
    assert {status: to for status, to in LEGAL.items() if to} == documented
    assert LEGAL["completed"] == LEGAL["refunded"] == ()


def move(floor: Floor, order_id: str, to: str, *through: str) -> None:
    orders = floor.platforms["platform-1"].shop.orders
    run = floor.platforms["platform-1"].shop.transactions.run
    errors: list[BaseException] = []

    async def work(tx: object) -> None:
        order = await tx.get(ORDERS, order_id, lock="wait")  # type: ignore[attr-defined]
        await orders.transition(tx, order, to, "test", through)  # type: ignore[arg-type]

    async def task() -> None:
        try:
            await run(work)
        except IllegalTransition as error:
            errors.append(error)

    floor.kernel.spawn(task(), "move")
    floor.run_for(0.1)
    if errors:
        raise errors[0]


def test_an_illegal_step_changes_nothing() -> None:
    """created → completed is not a step; neither the row nor the log moves."""
    floor = Floor()
    order_id = floor.order()
    with pytest.raises(IllegalTransition, match="created → completed"):
        move(floor, order_id, "completed")
    assert floor.status(order_id) == "created"
    assert len(floor.rows(ORDER_LOG)) == 1


def test_an_illegal_step_on_the_way_is_refused_too() -> None:
    """`through` is checked like the end: created → refunding → refunded begins with a wrong step."""
    floor = Floor()
    with pytest.raises(IllegalTransition, match="created → refunding"):
        move(floor, floor.order(), "refunded", "refunding")


def test_several_steps_at_once_leave_a_log_row_each() -> None:
    """The log chains from the old status to the new one, even within one transaction."""
    floor = Floor()
    order_id = floor.order()
    move(floor, order_id, "completed", "paid")
    assert floor.path(order_id) == ["created", "paid", "completed"]
    assert floor.status(order_id) == "completed"
