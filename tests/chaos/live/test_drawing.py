"""Site rules that wait for an event, drawn in processes that may not see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chaos.history import Event, Fault, Header, History, State
from chaos.live.drawing import Announcer, SiteNemesis, own_events
from chaos.live.openings import Opening, Openings
from chaos.nemesis import Blow, Nemesis, hear
from chaos.opening import Opening as Start
from reference_platform import designs
from sim.kernel import Kernel
from tests.chaos.worlds import MINUTE, SECOND, storm

DELAY = {"fault": "channel.callback_delay", "delay": "1min"}
SITE = ("channel.callback_delay", "wechat", ("O1",))
PAID = "state.orders.paid"


class Process:
    """One that draws, its time set by hand."""

    def __init__(self, *faults: dict[str, Any], own: tuple[str, ...] = (), path: Path | None = None) -> None:
        self.kernel = Kernel()
        self.history = History(Header(1, "", "small", "naive", 1, 1, 2, 3), lambda: self.kernel.now)
        start = Start(storm(*faults), designs.load("naive"), 1)
        more: dict[str, Any] = {} if path is None else {"announced": Openings(path).news}
        self.nemesis = SiteNemesis(
            start, kernel=self.kernel, history=self.history, plan=None, own=own, **more
        )

    def struck(self, at_us: int) -> bool:
        """Whether the site is struck at this time."""
        self.kernel.run_until(at_us)
        return self.nemesis.at(*SITE) is not None


class Unhurt:
    """A world to which no window fault does anything."""

    def inflict(self, *_: Any) -> list[Blow]:
        return []


def paid(t_us: int) -> Event:
    return State(t_us, 1, "platform-1", "ORD", "orders", "update", "O1", {"status": "paid"})


def test_an_event_of_its_own_opens_a_rule_at_once() -> None:
    """The very next site is struck, as in the simulated world; counted are only the events of that name."""
    process = Process({**DELAY, "on": "book.CH.captured", "nth": 2}, own=("book.CH.",))
    process.history.book("CH", "captured", "O0/c1", {})
    process.history.book("CH", "closed", "O0/c1", {})
    assert not process.struck(SECOND)
    process.history.book("CH", "captured", "O1/c1", {})
    assert process.struck(SECOND)


def test_an_announced_event_opens_a_rule_from_its_time_on(tmp_path: Path) -> None:
    """Neither before it is announced nor before its time; and it closes when it must."""
    process = Process({**DELAY, "on": PAID}, path=tmp_path / "openings")
    assert not process.struck(SECOND)
    Openings(tmp_path / "openings").tell(Opening(0, 5 * SECOND, 9 * SECOND))
    assert not process.struck(4 * SECOND)
    assert process.struck(5 * SECOND)
    assert not process.struck(9 * SECOND)


def test_what_was_seen_here_is_not_opened_again_by_what_is_announced(tmp_path: Path) -> None:
    """The process saw it first, and at the right time."""
    rule = {**DELAY, "on": "book.CH.captured", "from": "0s", "until": "10s"}
    still_waiting = {**DELAY, "on": PAID}
    process = Process(rule, still_waiting, own=("book.CH.",), path=tmp_path / "openings")
    process.history.book("CH", "captured", "O1/c1", {})
    Openings(tmp_path / "openings").tell(Opening(0, 7 * SECOND, 17 * SECOND))
    assert process.struck(9 * SECOND)
    assert not process.struck(12 * SECOND)


def test_window_faults_are_left_to_the_orchestrator() -> None:
    """Each process knows all rules, so that sites have the same names everywhere, but does its own part only."""
    process = Process({"fault": "node.crash", "node": "acting", "on": "book.CH.captured"}, own=("book.CH.",))
    process.history.book("CH", "captured", "O1/c1", {})
    process.kernel.run_until(MINUTE)
    assert [event for event in process.history.events if isinstance(event, Fault)] == []


def test_a_process_counts_by_itself_only_what_it_alone_writes_down() -> None:
    """Else the n-th of its own would not be the n-th of all."""
    one = storm(pay_with={"wechat": 1}).workload
    two = storm(pay_with={"wechat": 1, "alipay": 1}).workload
    assert own_events("wechat", one) == ("book.CH.",)
    assert own_events("wechat", two) == own_events("alipay", two) == ()
    assert own_events("alpha", one) == (), "there are two suppliers"
    assert own_events("users", one) == ("notice.",)
    assert "invoke." in own_events("load", one)
    assert own_events("load", one, loads=2) == own_events("edge", one) == ()


def test_what_the_orchestrator_hears_is_announced_once_to_everybody(tmp_path: Path) -> None:
    """The n-th event, with the window that the rule gives it; window rules are not announced."""
    rules: list[dict[str, Any]] = [
        {"fault": "node.pause", "node": "platform-1", "on": PAID, "duration": "1s"},
        {**DELAY, "on": PAID, "nth": 2, "after": "1s", "from": "0s", "until": "4s"},
    ]
    start = Start(storm(*rules), designs.load("naive"), 1)
    kernel = Kernel()
    history = History(Header(1, "", "small", "naive", 1, 1, 2, 3))
    world: dict[str, Any] = {"kernel": kernel, "streams": start.streams, "history": history}
    nemesis = Nemesis(start.scenario.faults, heal_us=start.heal_us, **world)
    nemesis.schedule(Unhurt())
    announcer = Announcer(nemesis, Openings(tmp_path / "openings"))
    readers = [Openings(tmp_path / "openings") for _ in range(2)]
    for second in range(1, 5):
        kernel.run_until(second * SECOND)
        hear(nemesis, paid(second * SECOND))
        announcer.look()
    expected = [Opening(1, 3 * SECOND, 7 * SECOND)]
    assert [reader.news() for reader in readers] == [expected, expected]
    assert [reader.news() for reader in readers] == [[], []]


def test_half_an_announcement_is_none_yet(tmp_path: Path) -> None:
    """A line counts when it has its end."""
    path = tmp_path / "openings"
    Openings(path).tell(Opening(3, 1, 2))
    reader, line = Openings(tmp_path / "half"), path.read_bytes()
    assert reader.news() == [], "not even a file"
    (tmp_path / "half").write_bytes(line[:7])
    assert reader.news() == []
    (tmp_path / "half").write_bytes(line)
    assert reader.news() == [Opening(3, 1, 2)]
