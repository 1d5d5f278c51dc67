"""Random concurrent transactions, judged by what any serial order could have produced."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_platform.ports import AtLeast, DeadlockDetected, Isolation, SerializationFailure, Transaction
from sim.kernel import sleep
from tests.contracts.database.worlds import ITEMS, SimWorld, fill, item
from tests.sim.database.stage import ACCOUNTS, SECOND, Stage, account

KEYS = (1, 2, 3)
THRESHOLD = 50

# Steps of a transaction. What it writes depends on everything it has read, so that a wrong read
# shows in the final state.
READ = st.tuples(st.just("read"), st.sampled_from(KEYS))
COUNT = st.tuples(st.just("count"), st.just(0))
WRITE = st.tuples(st.just("write"), st.sampled_from(KEYS))
INSERT = st.tuples(st.just("insert"), st.sampled_from((4, 5)))
DELETE = st.tuples(st.just("delete"), st.sampled_from((1, 4)))
SCRIPT = st.lists(
    st.tuples(st.integers(0, 400), st.one_of(READ, COUNT, WRITE, INSERT, DELETE)), min_size=1, max_size=4
)

Reads = list[Any]
State = dict[int, int]


def digest(reads: Reads, number: int) -> int:
    """A small number that differs for different reads."""
    value = number + 1
    for read in reads:
        value = (value * 31 + (read if read is not None else 17)) % 97
    return value


def replay(state: State, script: list[Any], number: int) -> tuple[State, Reads]:
    """What the transaction does alone."""
    state = dict(state)
    reads: Reads = []
    for _, (verb, key) in script:
        if verb == "read":
            reads.append(state.get(key))
        elif verb == "count":
            reads.append(sum(value >= THRESHOLD for value in state.values()))
        elif verb == "write":
            reads.append(int(key in state))
            if key in state:
                state[key] = digest(reads, number)
        elif verb == "insert":
            reads.append(int(key not in state))
            state.setdefault(key, digest(reads[:-1], number))
        else:
            reads.append(int(key in state))
            state.pop(key, None)
    return state, reads


async def perform(stage: Stage, script: list[Any], number: int, isolation: Isolation) -> Reads | None:
    """The same on the database, with pauses; None when the database refused it."""
    reads: Reads = []
    try:
        async with stage.database.transaction(isolation) as tx:
            for pause_us, (verb, key) in script:
                await sleep(pause_us)
                if verb == "read":
                    row = await tx.get(ACCOUNTS, key)
                    reads.append(row and row["fen"])
                elif verb == "count":
                    reads.append(
                        len(await tx.select(ACCOUNTS, {"owner": "member", "fen": AtLeast(THRESHOLD)}))
                    )
                elif verb == "write":
                    fen = digest([*reads, 1], number)
                    reads.append(int(await tx.update(ACCOUNTS, key, {"fen": fen}) is not None))
                elif verb == "insert":
                    new = account(key, digest(reads, number))
                    reads.append(int(await tx.insert(ACCOUNTS, new, on_conflict="nothing")))
                else:
                    reads.append(await tx.delete_where(ACCOUNTS, {"id": key}))
    except (SerializationFailure, DeadlockDetected):
        return None
    return reads


def concurrently(scripts: list[list[Any]], isolation: Isolation) -> tuple[State, dict[int, Reads]]:
    """The final state, and what each committed transaction had read."""
    stage = Stage()
    stage.wake_indexes()
    stage.fill(*(account(key, 10 * key) for key in KEYS))
    tasks = [stage.start(perform(stage, script, number, isolation)) for number, script in enumerate(scripts)]
    assert stage.kernel.run_until_idle(stage.kernel.now + 60 * SECOND)
    committed = {number: task.value for number, task in enumerate(tasks) if task.value is not None}
    assert all(task.done for task in tasks)
    assert stage.server.snapshots == {}
    assert stage.server.locks.queues == {}
    assert stage.database.free == stage.server.config.pool_size
    store = stage.server.stores["accounts"]
    assert all(type(row) is dict for row in store.rows.values())
    assert stage.entries() == sorted((row["fen"], row["id"]) for row in store.rows.values())
    return stage.balances(), committed


def serial_order(
    scripts: list[list[Any]], final: State, committed: dict[int, Reads]
) -> tuple[int, ...] | None:
    """An order that explains the reads and the final state, if there is one."""
    for order in permutations(committed):
        state: State = {key: 10 * key for key in KEYS}
        for number in order:
            state, reads = replay(state, scripts[number], number)
            if reads != committed[number]:
                break
        else:
            if state == final:
                return order
    return None


@given(st.lists(SCRIPT, min_size=2, max_size=4))
@settings(max_examples=400, deadline=None)
def test_serializable_transactions_equal_some_serial_order(scripts: list[list[Any]]) -> None:
    """Whatever commits under SERIALIZABLE could have run one after the other."""
    final, committed = concurrently(scripts, Isolation.SERIALIZABLE)
    assert serial_order(scripts, final, committed) is not None


def test_the_judge_knows_write_skew_when_it_sees_it() -> None:
    """Under REPEATABLE READ the same machinery finds an outcome that no serial order gives."""
    scripts: list[list[Any]] = [
        [(0, ("read", 1)), (0, ("write", 2))],
        [(0, ("read", 2)), (0, ("write", 1))],
    ]
    final, committed = concurrently(scripts, Isolation.REPEATABLE_READ)
    assert len(committed) == 2
    assert serial_order(scripts, final, committed) is None


TRANSFER = st.tuples(
    st.integers(0, 900),
    st.sampled_from(KEYS),
    st.sampled_from(KEYS),
    st.integers(1, 30),
    st.sampled_from(Isolation),
)


@given(st.lists(TRANSFER, min_size=2, max_size=8), st.lists(st.integers(0, 4000), max_size=2))
@settings(max_examples=200, deadline=None)
def test_transfers_neither_make_nor_lose_money(transfers: list[Any], crashes_us: list[int]) -> None:
    """Each transfer happens whole or not at all, at any level, deadlocks and crashes included, and
    one that was acknowledged did happen.
    """
    stage = Stage()
    stage.fill(*(account(key, 100) for key in KEYS))
    told = len(stage.commits)
    done: list[int] = []

    async def transfer(
        number: int, pause_us: int, source: int, target: int, fen: int, level: Isolation
    ) -> None:
        await sleep(pause_us)
        async with stage.database.transaction(level) as tx:
            await tx.update(ACCOUNTS, source, lambda row: {"fen": row["fen"] - fen})
            await tx.update(ACCOUNTS, target, lambda row: {"fen": row["fen"] + fen})
        done.append(number)

    tasks = [stage.start(transfer(number, *one)) for number, one in enumerate(transfers)]
    for crash_us in crashes_us:
        stage.kernel.call_at(stage.kernel.now + crash_us, stage.server.faults.drop_connections)
    assert stage.kernel.run_until_idle(stage.kernel.now + 60 * SECOND)
    assert all(task.done for task in tasks)
    balances = stage.balances()
    assert sum(balances.values()) == 100 * len(KEYS)
    assert len(stage.commits) - told >= len(done)
    if not crashes_us:
        expected = dict.fromkeys(KEYS, 100)
        for number in done:
            _, source, target, fen, _ = transfers[number]
            expected[source] -= fen
            expected[target] += fen
        assert balances == expected


def test_the_pivot_may_be_the_last_to_notice() -> None:
    """The same structure when the pivot reads the overwritten row only after all others committed.

    On PostgreSQL it fails as well, but sooner: pages are tracked there, and these rows share one.
    """
    world = SimWorld()
    fill(world, ITEMS, item(1, 0), item(2, 0), item(3, 0))
    withdraw, deposit, report = (world.session(Isolation.SERIALIZABLE) for _ in range(3))
    withdraw.run(withdraw.tx.get(ITEMS, 3))
    deposit.run(deposit.tx.update(ITEMS, 2, {"value": 20}))
    deposit.run(deposit.tx.commit())
    seen = [report.run(report.tx.get(ITEMS, key))["value"] for key in (1, 2)]
    assert seen == [0, 20]
    withdraw.run(withdraw.tx.update(ITEMS, 1, {"value": -11}))
    report.run(report.tx.commit())
    with pytest.raises(SerializationFailure):
        withdraw.run(_read_and_commit(withdraw.tx))


async def _read_and_commit(tx: Transaction) -> None:
    await tx.get(ITEMS, 2)
    await tx.commit()


def test_the_reader_fails_when_the_pivot_has_committed() -> None:
    """Both others are safe by then, so the one that completes the structure has to give way."""
    world = SimWorld()
    fill(world, ITEMS, item(1, 0), item(2, 0), item(3, 0))
    pivot, first, reader = (world.session(Isolation.SERIALIZABLE) for _ in range(3))
    pivot.run(pivot.tx.get(ITEMS, 3))
    first.run(first.tx.update(ITEMS, 1, {"value": 1}))
    first.run(first.tx.commit())
    assert reader.run(reader.tx.get(ITEMS, 1))["value"] == 1
    assert pivot.run(pivot.tx.get(ITEMS, 1))["value"] == 0
    pivot.run(pivot.tx.update(ITEMS, 2, {"value": 2}))
    pivot.run(pivot.tx.commit())
    with pytest.raises(SerializationFailure):
        reader.run(_read_and_commit(reader.tx))
