"""Top-ups: an unknown attempt is neither yes nor no."""

from __future__ import annotations

import pytest

from reference_platform.ports import Rejected, SupplierReply, Unreachable
from reference_platform.tables import ATTEMPTS, JOBS, TICKETS
from tests.reference_platform.floor import TOPUP, Floor
from tests.reference_platform.scripted import UNKNOWN

FAIL = SupplierReply("fail")
PROCESSING = SupplierReply("processing")


def attempts(floor: Floor) -> list[tuple[str, str, str]]:
    rows = sorted(floor.rows(ATTEMPTS), key=lambda row: str(row["attempt_no"]))
    return [(str(row["attempt_no"]).rpartition("/")[2], row["supplier"], row["status"]) for row in rows]


def test_a_plain_success_completes_the_order_and_books_the_cost() -> None:
    """I-15: the supplier's cost is booked with the delivery."""
    floor = Floor()
    order_id = floor.buy(TOPUP, quantity=2)
    floor.run_for(1)
    assert floor.status(order_id) == "completed"
    assert floor.balance("supplier_cost") == 160
    assert floor.balance("suspense") == 0


def test_the_attempt_is_committed_before_it_is_sent() -> None:
    """X-27: a crash during the call leaves a number to ask about, and no second one."""
    floor = Floor()
    floor.alpha.script.next("submit", PROCESSING)
    order_id = floor.order(TOPUP)
    floor.send(floor.channel.pay(f"{order_id}/c1"))
    while not floor.alpha.script.calls:
        floor.run_for(0.0001)
    floor.nodes["platform-1"].crash()
    assert attempts(floor) == [("s1", "alpha", "sending")]
    floor.alpha.deliver(f"{order_id}/s1")
    floor.nodes["platform-1"].restart()
    floor.run_for(240)
    assert attempts(floor) == [("s1", "alpha", "success")]
    assert floor.status(order_id) == "completed"


@pytest.mark.parametrize("silence", [UNKNOWN, SupplierReply("duplicate"), SupplierReply("unconfirmed")])
def test_an_unknown_outcome_is_asked_about_under_its_own_number(silence: object) -> None:
    """X-20, I-13, I-14: no new number and no other supplier while it may have succeeded."""
    floor = Floor()
    floor.alpha.script.next("submit", silence)
    order_id = floor.buy(TOPUP)
    floor.alpha.deliver(f"{order_id}/s1")
    floor.run_for(100)
    assert attempts(floor) == [("s1", "alpha", "unknown")]
    assert floor.alpha.script.count("query") == 0, "suppliers answer no query before three minutes"
    floor.run_for(100)
    assert attempts(floor) == [("s1", "alpha", "success")]
    assert floor.status(order_id) == "completed"


def test_not_found_is_a_failure_only_after_ten_minutes() -> None:
    """X-21: inside the lag window "not found" means "not yet"."""
    floor = Floor()
    floor.alpha.script.next("submit", UNKNOWN)
    order_id = floor.buy(TOPUP)
    floor.run_for(590)
    assert attempts(floor) == [("s1", "alpha", "unknown")]
    floor.run_for(200)
    assert attempts(floor) == [("s1", "alpha", "fail"), ("s2", "beta", "success")]
    assert floor.status(order_id) == "completed"


@pytest.mark.parametrize("refusal", [FAIL, Unreachable("down"), Rejected("BALANCE")])
def test_a_certain_failure_goes_to_the_next_supplier_under_a_new_number(refusal: object) -> None:
    """X-22, X-26: a number that failed is never used again."""
    floor = Floor()
    floor.alpha.script.next("submit", refusal)
    order_id = floor.buy(TOPUP)
    floor.run_for(1)
    assert attempts(floor) == [("s1", "alpha", "fail"), ("s2", "beta", "success")]
    assert floor.status(order_id) == "completed"


def test_a_late_success_of_a_failed_attempt_waits_for_the_later_one() -> None:
    """X-24: beta is still being asked about; believing alpha now would leave that question open for ever."""
    floor = Floor()
    floor.alpha.script.next("submit", FAIL)
    floor.suppliers["beta"].script.next("submit", UNKNOWN)
    order_id = floor.buy(TOPUP)
    floor.run_for(1)
    late = floor.alpha.callback(f"{order_id}/s1", floor.alpha.deliver(f"{order_id}/s1"))
    assert floor.send(late).status == 503
    assert attempts(floor) == [("s1", "alpha", "fail"), ("s2", "beta", "unknown")]
    assert floor.status(order_id) == "fulfilling"


def test_when_nobody_can_deliver_the_money_goes_back() -> None:
    """All routes failed: refund in full."""
    floor = Floor(suppliers=("alpha",))
    floor.alpha.script.next("submit", FAIL)
    order_id = floor.buy(TOPUP, quantity=2)
    floor.run_for(60)
    assert floor.path(order_id) == ["created", "paid", "fulfilling", "refunding", "refunded"]
    assert floor.channel.refunds[f"{order_id}/r1"][1] == 1000
    assert floor.balance("suspense") == 0


def test_a_callback_may_overtake_the_answer_of_its_submit() -> None:
    """X-24, I-25: success is success, and a later "processing" takes nothing back."""
    floor = Floor()
    order_id = floor.order(TOPUP)
    floor.alpha.script.next("submit", PROCESSING)
    floor.send(floor.channel.pay(f"{order_id}/c1"))
    while not attempts(floor):
        floor.run_for(0.0001)
    reply = floor.alpha.deliver(f"{order_id}/s1")
    assert floor.send(floor.alpha.callback(f"{order_id}/s1", reply)).raw == b"SUCCESS"
    floor.run_for(1)
    assert attempts(floor) == [("s1", "alpha", "success")]
    assert floor.status(order_id) == "completed"


def test_a_supplier_callback_counts_once() -> None:
    """Repeats are thanked for and change nothing."""
    floor = Floor()
    floor.alpha.script.next("submit", PROCESSING)
    order_id = floor.buy(TOPUP)
    floor.run_for(1)
    callback = floor.alpha.callback(f"{order_id}/s1", floor.alpha.deliver(f"{order_id}/s1"))
    for _ in range(3):
        assert floor.send(callback).status == 200
    assert floor.balance("revenue") == -500
    assert floor.balance("supplier_cost") == 80
    assert floor.rows(JOBS, job="supply") == []


def test_a_supplier_speaks_only_for_its_own_attempts() -> None:
    """A callback of one supplier about another's attempt is refused."""
    floor = Floor()
    floor.alpha.script.next("submit", PROCESSING)
    order_id = floor.buy(TOPUP)
    floor.run_for(1)
    stray = floor.suppliers["beta"].callback(f"{order_id}/s1", SupplierReply("success", 1, 80))
    assert floor.send(stray).status == 404
    assert floor.status(order_id) == "fulfilling"


def test_half_an_hour_without_an_answer_is_somebodys_work() -> None:
    """I-19: an order that nobody can decide gets an owned ticket."""
    floor = Floor()
    floor.alpha.script.next("submit", UNKNOWN)
    floor.alpha.script.next("query", *[SupplierReply("processing")] * 20)
    order_id = floor.buy(TOPUP)
    floor.run_for(2100)
    assert floor.row(TICKETS)["ref"] == order_id


def test_naive_takes_silence_for_a_no() -> None:
    """X-20: the platform of the complaints buys twice."""
    floor = Floor("naive")
    floor.alpha.script.next("submit", UNKNOWN)
    floor.buy(TOPUP)
    floor.run_for(1)
    assert attempts(floor) == [("s1", "alpha", "fail"), ("s2", "beta", "success")]
