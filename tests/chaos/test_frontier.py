"""The frontier: the smallest value at which something breaks, looked for closely and not believed at once."""

from __future__ import annotations

import pytest

from chaos import frontier as search
from chaos.dials import READY, Dial, DialError, dial, numbers_of
from chaos.edges import Row, Trial
from chaos.frontier import frontier
from chaos.shrink.tokens import decode
from scenarios import loading
from scenarios.faults import FAULTS

CALM = loading.load("calm_trade")
LATE = loading.load("callback_late")
DELAY = dial("channel.callback_delay.delay", LATE)


def _invented(monkeypatch: pytest.MonkeyPatch, breaks: dict[str, tuple[float, float]]) -> None:
    """Instead of runs: each invariant breaks on every seed from one value up to another."""

    def made_up(_dial: Dial, _scenario: object, _design: str, value: float, seeds: list[int]) -> Trial:
        broken = {name: list(seeds) for name, (low, high) in breaks.items() if low <= value <= high}
        return Trial(value, broken, {}, 1)

    monkeypatch.setattr(search, "try_value", made_up)


def _row(monkeypatch: pytest.MonkeyPatch, breaks: dict[str, tuple[float, float]]) -> Row:
    _invented(monkeypatch, breaks)
    return frontier(LATE, DELAY, ["naive"], 3).rows[0]


def test_an_edge_is_found_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    """What held and what broke enclose the true value, and are closer than 5 percent."""
    row = _row(monkeypatch, {"I-01": (90_000_000, 1 << 62), "I-30": (7_000_000, 1 << 62)})
    assert [edge.invariant for edge in row.edges] == ["I-30", "I-01"]
    for edge, true in zip(row.edges, (7_000_000, 90_000_000), strict=True):
        assert edge.holds_at is not None
        assert edge.holds_at < true <= edge.breaks_at <= 1.05 * edge.holds_at
        assert (edge.seeds, edge.again) == (3, [])


def test_what_breaks_at_the_smallest_value_has_nothing_that_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The edge may lie lower still, and nobody is told that something holds."""
    row = _row(monkeypatch, {"I-23": (0, 1 << 62)})
    assert (row.edges[0].breaks_at, row.edges[0].holds_at, row.holds_to) == (DELAY.low, None, None)


def test_an_invariant_that_holds_again_further_up_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken between one and nine minutes only: the values above that held are named."""
    row = _row(monkeypatch, {"I-20": (60_000_000, 540_000_000)})
    (edge,) = row.edges
    assert edge.breaks_at <= 63_000_000
    assert edge.again
    assert min(edge.again) > 540_000_000


def test_a_break_below_the_edge_moves_the_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap in the grid hid a lower one: samples below find it, and it is closed in upon in turn."""
    low, high = DELAY.low, DELAY.high
    steps = [DELAY.between(low, high, step / (search.GRID - 1)) for step in range(search.GRID)]
    hidden = (DELAY.between(steps[4], steps[5], 0.2), DELAY.between(steps[4], steps[5], 0.8))

    def made_up(_dial: Dial, _scenario: object, _design: str, value: float, seeds: list[int]) -> Trial:
        broken = value >= steps[7] or hidden[0] <= value <= hidden[1]
        return Trial(value, {"I-20": list(seeds)} if broken else {}, {}, 1)

    monkeypatch.setattr(search, "try_value", made_up)
    (edge,) = frontier(LATE, DELAY, ["naive"], 2).rows[0].edges
    assert hidden[0] <= edge.breaks_at <= 1.05 * hidden[0]
    assert edge.again


def test_a_design_that_nothing_breaks_holds_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """No edges, and the highest value tried is the highest asked for."""
    row = _row(monkeypatch, {})
    assert (row.edges, row.holds_to, len(row.tried)) == ([], DELAY.high, search.GRID)


def test_naive_breaks_its_promise_of_five_minutes_and_then_at_expiry() -> None:
    """On real runs: late notices cost I-30 soon after five minutes and I-20 at fifteen; resilient stands them."""
    found = frontier(LATE, DELAY, ["naive", "resilient"], 3)
    naive, resilient = found.rows
    edges = {edge.invariant: edge for edge in naive.edges}
    assert 300e6 < edges["I-30"].breaks_at < 420e6
    assert 800e6 < edges["I-20"].breaks_at < 960e6
    assert resilient.edges == []
    assert resilient.touched > 0
    assert found.excluded == pytest.approx(1 - 0.05 ** (1 / 3))
    again = decode(edges["I-20"].replay).run()
    assert "I-20" in again.violated


def test_workers_find_the_same_as_one_process() -> None:
    """Seeds are spread over workers and come back in their order."""
    narrow = Dial("delay", DELAY.fault, DELAY.field, "time", 300_000_000, 400_000_000)
    alone = frontier(LATE, narrow, ["naive"], 3)
    together = frontier(LATE, narrow, ["naive"], 3, jobs=2)
    assert together.rows == alone.rows


def test_an_interrupt_keeps_the_designs_that_were_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the second design: the first is there, and it says that something is missing."""

    def made_up(_dial: Dial, _scenario: object, design: str, value: float, _seeds: list[int]) -> Trial:
        if design == "outbox":
            raise KeyboardInterrupt
        return Trial(value, {}, {}, 1)

    monkeypatch.setattr(search, "try_value", made_up)
    found = frontier(LATE, DELAY, ["naive", "outbox"], 2)
    assert ([row.design for row in found.rows], found.interrupted) == (["naive"], True)


@pytest.mark.parametrize("name", READY)
def test_a_ready_made_dial_turns_a_storm_that_has_no_such_fault(name: str) -> None:
    """At both ends it is a valid storm, and the value stands in every rule of that fault."""
    turned = dial(name, CALM)
    for value in (turned.low, turned.high):
        rules = [rule for rule in turned.turned(CALM, value).faults if rule.fault == turned.fault]
        assert rules
        for rule in rules:
            if turned.field == "length":
                assert rule.until == rule.start + value
            else:
                assert getattr(rule, turned.field) == value


@pytest.mark.parametrize("fault", FAULTS)
def test_every_number_of_every_fault_is_named(fault: str) -> None:
    """Whatever can be turned is a number of that fault, its probability, or the length of its window."""
    fields = numbers_of(fault)
    assert "probability" in fields
    assert ("length" in fields) == FAULTS[fault].window
    assert not {"effect", "applied", "lose_tail", "oneway", "channel"} & set(fields)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("callback_dela", "did you mean 'callback_delay'"),
        ("channel.callback_delay.dely", "did you mean 'delay'"),
        ("supplier.slow.delay", "callback_late has no fault supplier.slow; it has channel.callback_delay"),
    ],
)
def test_a_dial_that_is_not_there_is_told_with_what_is(name: str, message: str) -> None:
    """One message with the nearest name, or with what the storm has."""
    with pytest.raises(DialError, match=message):
        dial(name, LATE)


@pytest.mark.parametrize("ends", [(5.0, 5.0), (0.0, 1.0), (9.0, 2.0)])
def test_a_range_that_is_none_is_refused(ends: tuple[float, float]) -> None:
    """Ratios need two different ends above 0."""
    with pytest.raises(DialError, match="no range"):
        frontier(LATE, Dial("delay", DELAY.fault, DELAY.field, "time", *ends), ["naive"], 1)


def test_a_value_that_the_fault_does_not_allow_is_told_before_any_run() -> None:
    """A hundred copies at most."""
    copies = dial("callback_copies", CALM)
    with pytest.raises(DialError, match="callback_copies = 101"):
        copies.turned(CALM, 101)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("callback_delay", "90s", 90_000_000),
        ("callback_loss", "12.5%", 0.125),
        ("callback_loss", "100%", 1.0),
        ("callback_copies", "7", 7),
    ],
)
def test_values_are_read_and_shown_as_people_write_them(name: str, text: str, value: float) -> None:
    """Durations, shares in percent, counts; what is shown can be typed in again."""
    turned = dial(name, CALM)
    assert turned.read(text) == value
    assert turned.read(turned.shown(value)) == value
    with pytest.raises(DialError, match=name):
        turned.read("soon")
