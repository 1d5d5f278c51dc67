"""Which faults stop the clock of a promise, and for how long."""

from __future__ import annotations

import pytest

from chaos.history import Fault
from chaos.oracle.blocked import Blocked

MINUTE = 60_000_000
PROMISE_US = 6 * MINUTE
HEAL_US = 60 * MINUTE


def blocked(*events: tuple[float, str, str, str]) -> Blocked:
    """(minute, fault, phase, where) …, and the healing after an hour."""
    found = Blocked()
    for minute, fault, phase, where in events:
        found.feed(Fault(round(minute * MINUTE), fault, phase, f"0/{fault}/{where}", {"where": where}))
    found.close(HEAL_US)
    return found


def window(fault: str, where: str = "*", start: float = 2, end: float = 5) -> Blocked:
    return blocked((start, fault, "start", where), (end, fault, "end", where))


def deadline(found: Blocked, since: float = 1, by: float = 7, *, suppliers: bool = False) -> float:
    """The minute at which a promise of six minutes has to be kept."""
    by_us = round(by * MINUTE)
    return found.extend(round(since * MINUTE), by_us, PROMISE_US, suppliers=suppliers) / MINUTE


@pytest.mark.parametrize(
    "fault",
    [
        "node.crash", "node.pause", "node.slow", "channel.down", "channel.result_unknown",
        "database.crash", "database.slow_disk", "database.pool_exhausted",
    ],
)  # fmt: skip
def test_what_stops_the_platform_starts_the_promise_anew(fault: str) -> None:
    """Over in minute 5: six minutes from there."""
    assert deadline(window(fault)) == 11


@pytest.mark.parametrize("where", ["platform-1->wechat", "platform-*->database", "wechat->platform-1"])
def test_a_cut_between_the_platform_and_its_partners_stops_the_clock(where: str) -> None:
    """It cannot ask."""
    assert deadline(window("link.partition", where)) == 11


@pytest.mark.parametrize(
    "where", ["users->edge", "users->platform-1", "edge->platform-1", "platform-1->edge", "wechat->users"]
)
def test_a_cut_towards_users_or_their_door_stops_nothing(where: str) -> None:
    """The platform can act all the same."""
    assert deadline(window("link.partition", where)) == 7


@pytest.mark.parametrize(
    "fault",
    [
        "channel.callback_loss", "channel.callback_delay", "channel.query_lag", "user.drop",
        "risk.silent_hold", "cache.down", "supplier.slow", "supplier.false_success",
    ],
)  # fmt: skip
def test_what_only_makes_the_work_harder_stops_nothing(fault: str) -> None:
    """Surviving it is what the promise is about."""
    assert deadline(window(fault)) == 7
    assert deadline(window(fault), suppliers=True) == 7


@pytest.mark.parametrize("fault", ["supplier.down", "supplier.result_unknown"])
def test_a_silent_supplier_stops_only_what_hangs_on_its_word(fault: str) -> None:
    """A credit can be given without it, goods cannot."""
    assert deadline(window(fault)) == 7
    assert deadline(window(fault), suppliers=True) == 11
    assert deadline(window("node.crash"), suppliers=True) == 11


@pytest.mark.parametrize("fault", ["node.crash", "node.pause", "node.slow"])
def test_a_dead_supplier_is_a_silent_one(fault: str) -> None:
    """A program that was killed stops the platform only if it is the platform, or the channel."""
    for node, by_credit, by_goods in (("alpha", 7, 11), ("wechat", 11, 11), ("platform-1", 11, 11)):
        found = Blocked({"alpha", "beta"})
        for minute, phase in ((2, "start"), (5, "end")):
            data = {"where": node} if phase == "start" else {"node": node}
            found.feed(Fault(minute * MINUTE, fault, phase, f"0/{fault}/{node}/window", data))
        found.close(HEAL_US)
        assert (deadline(found), deadline(found, suppliers=True)) == (by_credit, by_goods)


def test_a_silent_supplier_that_was_never_seen_to_speak_again_is_silent_until_the_healing() -> None:
    """And then only for those who wait for it."""
    silent = blocked((2, "supplier.down", "start", "*"))
    assert (deadline(silent), deadline(silent, suppliers=True)) == (7, 66)


def test_a_fault_that_struck_one_message_blocks_for_a_minute() -> None:
    """The platform has to notice and to back off."""
    assert deadline(blocked((3, "channel.result_unknown", "touch", "wechat"))) == 10
    assert deadline(blocked((3, "supplier.result_unknown", "touch", "acme")), suppliers=True) == 10
    assert deadline(blocked((3, "supplier.result_unknown", "touch", "acme"))) == 7


def test_what_was_over_before_the_promise_began_moves_nothing() -> None:
    """Over in the minute in which it began still does."""
    assert deadline(window("node.crash", start=1, end=2), since=2.1, by=8.1) == 8.1
    assert deadline(window("node.crash", start=1, end=2), since=2, by=7.5) == 8


def test_what_begins_after_the_deadline_moves_nothing() -> None:
    """At the very deadline it still does."""
    assert deadline(window("node.crash", start=7.1, end=9)) == 7
    assert deadline(window("node.crash", start=7, end=9)) == 15


def test_a_block_that_was_met_because_of_an_earlier_one_counts_too() -> None:
    """The first moves the deadline to 11, so the second one at 10 moves it on."""
    twice = blocked(
        (2, "node.crash", "start", "a"), (5, "node.crash", "end", "a"),
        (10, "node.crash", "start", "b"), (12, "node.crash", "end", "b"),
        (30, "node.crash", "start", "c"), (31, "node.crash", "end", "c"),
    )  # fmt: skip
    assert deadline(twice) == 18


def test_a_long_block_counts_although_a_short_one_within_it_was_over_first() -> None:
    """They are met in the order in which they began."""
    nested = blocked(
        (1, "node.crash", "start", "a"),
        (3, "channel.down", "touch", "wechat"),
        (10, "node.crash", "end", "a"),
    )
    assert deadline(nested, since=0, by=2) == 16


def test_a_block_that_ends_long_before_the_deadline_does_not_shorten_it() -> None:
    """It moves deadlines back, never forward."""
    assert deadline(window("node.crash", start=2, end=2.1), by=30) == 30


def test_a_fault_that_was_never_seen_to_end_ended_at_the_healing() -> None:
    """Nothing lasts longer; and what began after it was over at once."""
    assert deadline(blocked((2, "node.crash", "start", "a"))) == 66
    assert deadline(blocked((70, "node.crash", "start", "a")), since=69, by=75) == 76


def test_the_end_of_a_fault_that_was_never_seen_to_start_means_nothing() -> None:
    """There is no telling how long it was."""
    assert deadline(blocked((3, "node.crash", "end", "a"))) == 7


def test_a_fault_that_starts_twice_began_the_first_time() -> None:
    """A crash of a node that is down adds nothing."""
    again = blocked(
        (2, "node.crash", "start", "a"), (4, "node.crash", "start", "a"), (5, "node.crash", "end", "a")
    )
    assert deadline(again, since=1, by=3) == 11


def test_the_skew_is_the_furthest_that_any_clock_was_off() -> None:
    """Ahead or behind; a skewed clock stops nothing."""
    found = Blocked()
    for offset_us in (5, -20, 10):
        found.feed(Fault(0, "node.clock_skew", "start", "0/node.clock_skew/a", {"offset_us": offset_us}))
        found.feed(Fault(1, "node.clock_skew", "end", "0/node.clock_skew/a", {}))
    found.close(HEAL_US)
    assert found.skew_us == 20
    assert deadline(found) == 7
