"""Clock, ids and tasks of a real process keep the promises of their ports."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from reference_platform.adapters.host import AsyncTasks, HostClock, RegisteredIds
from reference_platform.adapters.wall import WallWaits
from reference_platform.ports import Unreachable
from sim.ids import StableIds

MANY = """
import sys
from pathlib import Path
from reference_platform.adapters.host import RegisteredIds
ids = RegisteredIds(Path(sys.argv[1]))
print(*(ids.new("order", "u1", f"k{n % 5}") for n in range(500)), sep="\\n")
"""


def test_ids_are_those_of_the_simulated_world(tmp_path: Path) -> None:
    """What it is for, and a number only from the second on: sites of faults have the same names in both."""
    registered, stable = RegisteredIds(tmp_path / "ids"), StableIds()
    for parts in (
        ("order", "u1", "k1"),
        ("order", "u1", "k1"),
        ("order", "u1"),
        ("log", "O1"),
        ("order", "u1", "k1"),
    ):
        assert registered.new(*parts) == stable.new(*parts)


def test_ids_are_unique_over_processes_and_restarts(tmp_path: Path) -> None:
    """Four processes at once and one afterwards: no name twice."""
    command = [sys.executable, "-c", MANY, str(tmp_path)]
    at_once = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    names = [name for process in at_once for name in process.communicate(timeout=240)[0].split()]
    names += subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout.split()
    assert len(names) == 2500
    assert len(set(names)) == 2500


def test_names_with_strange_parts_are_kept_apart(tmp_path: Path) -> None:
    """Parts may hold anything, separators too; two that read alike get two names, however they come about."""
    ids = RegisteredIds(tmp_path)
    assert ids.new("x", "../../etc/passwd") == "x-../../etc/passwd"
    wanted = [
        ("a-b", "c"),
        ("a", "b-c"),
        ("a-b-c",),
        ("a", "b", "c.2"),
        ("a", "b", "c.5"),
        ("a", "b-c"),
        ("a", "b-c"),
    ]
    names = [ids.new("x", *parts) for parts in wanted]
    assert len(set(names)) == len(names), names
    assert all(path.parent == tmp_path for path in tmp_path.rglob("*"))


class FastClock:
    """A machine's clock that is an hour ahead and gains a tenth."""

    def now_us(self) -> int:
        return 3_600_000_000

    def true_us(self, us: int) -> int:
        return us * 10 // 11


def test_a_clock_shows_and_measures_what_the_machines_does() -> None:
    """What its owner takes for a second may be less or more; the host sleeps the true time."""
    slept: list[int] = []

    class Noted(WallWaits):
        async def sleep(self, us: int, *, daemon: bool = False) -> None:
            slept.append(us)

    clock = HostClock(FastClock(), Noted())
    assert clock.now_us() == 3_600_000_000
    asyncio.run(clock.sleep(1_100))
    assert slept == [1_000]


async def _fail(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


def _spawned(*coros: Coroutine[Any, Any, None]) -> tuple[list[str], list[str]]:
    tripped: list[str] = []
    bugs: list[str] = []

    async def main() -> None:
        tasks = AsyncTasks(
            lambda name, error: tripped.append(f"{name}: {error}"),
            lambda name, error: bugs.append(f"{name}: {error!r}"),
        )
        for n, coro in enumerate(coros):
            tasks.spawn(coro, f"task {n}")
        for _ in range(5):
            await asyncio.sleep(0)
        await tasks.close()

    asyncio.run(main())
    return tripped, bugs


def test_work_that_trips_over_the_world_dies_alone_and_a_bug_does_not() -> None:
    """Trouble outside is told from trouble inside."""
    assert _spawned(_fail(Unreachable("gone"))) == (["task 0: gone"], [])
    assert _spawned(_fail(KeyError("x"))) == ([], ["task 0: KeyError('x')"])


def test_work_that_is_ended_is_no_trouble() -> None:
    """At the end of the process everything that runs is cancelled, and that is nobody's error."""
    assert _spawned(asyncio.sleep(3600), asyncio.sleep(0)) == ([], [])
