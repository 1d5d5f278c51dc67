"""The ten anomalies of Hermitage as scripts; each tells what its sessions really saw.

After Martin Kleppmann's Hermitage, which takes them from Adya's thesis and Bailis et al. A script
steps its sessions as Hermitage does and judges the anomaly by the values read and the commits that
succeeded. A transaction that the server fails rolls back, which prevents the anomaly.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Literal

from reference_platform.ports import AtLeast, DeadlockDetected, Isolation, SerializationFailure, Transaction
from tests.contracts.database.worlds import ITEMS, Step, World, committed, fill, item, values

Verdict = Literal["prevented", "allowed"]


class Actor:
    """A session that remembers whether the server failed its transaction, and then stays silent."""

    def __init__(self, world: World, isolation: Isolation) -> None:
        self.session = world.session(isolation)
        self.failed = False
        self.waiting: Step | None = None
        self.done = False

    @property
    def tx(self) -> Transaction:
        return self.session.tx

    def read(self, key: int) -> int | None:
        row = self._do(self.tx.get(ITEMS, key))
        return None if row is None else int(row["value"])

    def count_from(self, value: int) -> int | None:
        """How many rows have at least this value: the predicate of the anomalies on predicates."""
        rows = self._do(self.tx.select(ITEMS, {"value": AtLeast(value)}))
        return None if rows is None else len(rows)

    def write(self, key: int, value: int) -> None:
        """Update; when it has to wait, `resume` takes it up."""
        self._do(self.tx.update(ITEMS, key, {"value": value}))

    def insert(self, key: int, value: int) -> None:
        self._do(self.tx.insert(ITEMS, item(key, value)))

    def resume(self) -> None:
        """Finish the statement that waited."""
        step, self.waiting = self.waiting, None
        if step is not None:
            self._finish(step)

    def commit(self) -> None:
        self.resume()
        self._do(self.tx.commit())
        self.done = not self.failed

    def rollback(self) -> None:
        self.session.run(self.tx.rollback())

    def _do(self, statement: Coroutine[Any, Any, Any]) -> Any:
        if self.failed:
            statement.close()
            return None
        assert self.waiting is None, "the session still waits"
        step = self.session.start(statement)
        if step.blocked():
            self.waiting = step
            return None
        return self._finish(step)

    def _finish(self, step: Step) -> Any:
        try:
            return step.result()
        except (SerializationFailure, DeadlockDetected):
            self.failed = True
            self.rollback()
            return None


def _allowed_if(anomaly: bool) -> Verdict:
    return "allowed" if anomaly else "prevented"


def g0(world: World, isolation: Isolation) -> Verdict:
    """Dirty write: the writes of two transactions end up interleaved."""
    one, two = Actor(world, isolation), Actor(world, isolation)
    one.write(1, 11)
    two.write(1, 12)
    one.write(2, 21)
    one.commit()
    two.resume()
    two.write(2, 22)
    two.commit()
    final = values(committed(world, ITEMS))
    return _allowed_if(final not in ([11, 21], [12, 22]))


def g1a(world: World, isolation: Isolation) -> Verdict:
    """Aborted read: somebody sees what was then rolled back."""
    one, two = Actor(world, isolation), Actor(world, isolation)
    one.write(1, 101)
    seen = [two.read(1)]
    one.rollback()
    seen.append(two.read(1))
    two.commit()
    return _allowed_if(101 in seen)


def g1b(world: World, isolation: Isolation) -> Verdict:
    """Intermediate read: somebody sees a value that its writer then replaced."""
    one, two = Actor(world, isolation), Actor(world, isolation)
    one.write(1, 101)
    seen = [two.read(1)]
    one.write(1, 11)
    one.commit()
    seen.append(two.read(1))
    two.commit()
    return _allowed_if(101 in seen)


def g1c(world: World, isolation: Isolation) -> Verdict:
    """Circular information flow: two transactions see each other's writes."""
    one, two = Actor(world, isolation), Actor(world, isolation)
    one.write(1, 11)
    two.write(2, 22)
    seen_by_one, seen_by_two = one.read(2), two.read(1)
    one.commit()
    two.commit()
    return _allowed_if(seen_by_one == 22 and seen_by_two == 11)


def otv(world: World, isolation: Isolation) -> Verdict:
    """Observed transaction vanishes: after a newer write of one was seen, an older state returns."""
    one, two, three = (Actor(world, isolation) for _ in range(3))
    one.write(1, 11)
    one.write(2, 19)
    two.write(1, 12)
    one.commit()
    two.resume()
    seen: list[tuple[int, int | None]] = [(1, three.read(1))]
    two.write(2, 18)
    seen.append((2, three.read(2)))
    two.commit()
    seen.extend([(2, three.read(2)), (1, three.read(1))])
    three.commit()
    by_two = [place for place, read in enumerate(seen) if read in {(1, 12), (2, 18)}]
    return _allowed_if(bool(by_two) and any(read in {(1, 11), (2, 19)} for read in seen[by_two[0] :]))


def pmp(world: World, isolation: Isolation) -> Verdict:
    """Predicate many preceders: a predicate read twice gives two answers."""
    one, two = Actor(world, isolation), Actor(world, isolation)
    before = one.count_from(30)
    two.insert(3, 30)
    two.commit()
    after = one.count_from(30)
    one.commit()
    return _allowed_if(before != after)


def p4(world: World, isolation: Isolation) -> Verdict:
    """Lost update: both read, both write, both commit."""
    one, two = Actor(world, isolation), Actor(world, isolation)
    both_read_ten = one.read(1) == 10 and two.read(1) == 10
    one.write(1, 11)
    two.write(1, 11)
    one.commit()
    two.resume()
    two.commit()
    return _allowed_if(both_read_ten and one.done and two.done)


def g_single(world: World, isolation: Isolation) -> Verdict:
    """Read skew: one sees a state before and a state after the other's commit."""
    one, two = Actor(world, isolation), Actor(world, isolation)
    first = one.read(1)
    two.write(1, 12)
    two.write(2, 18)
    two.commit()
    second = one.read(2)
    one.commit()
    return _allowed_if((first, second) == (10, 18))


def g2_item(world: World, isolation: Isolation) -> Verdict:
    """Write skew: each writes what the other read, and both commit."""
    one, two = Actor(world, isolation), Actor(world, isolation)
    reads = [one.read(1), one.read(2), two.read(1), two.read(2)]
    one.write(1, 11)
    two.write(2, 21)
    one.commit()
    two.commit()
    return _allowed_if(reads == [10, 20, 10, 20] and one.done and two.done)


def g2(world: World, isolation: Isolation) -> Verdict:
    """Anti-dependency cycle on predicates: each inserts what the other found missing."""
    one, two = Actor(world, isolation), Actor(world, isolation)
    counts = [one.count_from(30), two.count_from(30)]
    one.insert(3, 30)
    two.insert(4, 42)
    one.commit()
    two.commit()
    return _allowed_if(counts == [0, 0] and one.done and two.done)


ANOMALIES: dict[str, Callable[[World, Isolation], Verdict]] = {
    "G0": g0,
    "G1a": g1a,
    "G1b": g1b,
    "G1c": g1c,
    "OTV": otv,
    "PMP": pmp,
    "P4": p4,
    "G-single": g_single,
    "G2-item": g2_item,
    "G2": g2,
}


def observe(world: World, anomaly: str, isolation: Isolation) -> Verdict:
    """Run one cell on an empty world."""
    fill(world, ITEMS, item(1, 10), item(2, 20))
    return ANOMALIES[anomaly](world, isolation)
