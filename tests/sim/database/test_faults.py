"""Every fault of the database: what it does to clients, what it leaves, and its evidence."""

from __future__ import annotations

import pytest

from reference_platform.ports import (
    CommitUnknown,
    ConnectionLost,
    DiskFull,
    Isolation,
    PoolExhausted,
    ReadOnly,
    TransactionAborted,
)
from sim.database import DatabaseConfig
from sim.kernel import NodeDead, sleep
from tests.sim.database.stage import ACCOUNTS, MILLISECOND, SECOND, Stage, account, outcome

CONFIG = DatabaseConfig()


def test_latency_and_slow_disk_take_their_time_and_count_what_they_slowed() -> None:
    """Statements wait for the line, commits for the disk as well."""
    stage = Stage()
    stage.fill(account(1))

    async def timed() -> int:
        start_us = stage.kernel.now
        await stage.set(1, 5)
        return stage.kernel.now - start_us

    assert stage.run(timed()) == CONFIG.statement_us + CONFIG.commit_us
    slowed = stage.server.faults.set_latency(3_000)
    assert stage.run(timed()) == CONFIG.statement_us + CONFIG.commit_us + 2 * 3_000
    stage.server.faults.set_latency(0)
    disk = stage.server.faults.slow_disk(10)
    assert stage.run(timed()) == CONFIG.statement_us + CONFIG.commit_us * 10
    stage.server.faults.slow_disk(1)
    assert stage.run(timed()) == CONFIG.statement_us + CONFIG.commit_us
    assert (slowed.touched, disk.touched) == (2, 1), "one statement and its commit; one commit"


def test_dropped_connections_roll_back_and_wake_the_waiting() -> None:
    """An idle transaction learns it with its next statement, a waiting statement at once."""
    stage = Stage()
    stage.fill(account(1, 10))

    async def hold() -> None:
        async with stage.database.transaction() as tx:
            await tx.update(ACCOUNTS, 1, {"fen": 99})
            await sleep(SECOND)
            await tx.get(ACCOUNTS, 1)

    holder, waiter = stage.start(hold()), stage.start(stage.set(1, 11))
    stage.after(10 * MILLISECOND)
    assert not waiter.done
    evidence = stage.server.faults.drop_connections("node")
    assert evidence.touched == 2
    stage.after(MILLISECOND)
    with pytest.raises(ConnectionLost):
        outcome(waiter)
    assert stage.balances() == {1: 10}
    stage.run(stage.set(1, 12))
    assert stage.balances() == {1: 12}, "the lock is free and new sessions work"
    with pytest.raises(ConnectionLost):
        outcome(holder)
    assert stage.balances() == {1: 12}


def test_dropping_another_owner_touches_nothing() -> None:
    """Evidence tells a fault that hit from one that missed."""
    stage = Stage()
    stage.fill(account(1))
    task = stage.start(stage.set(1, 1))
    stage.after(50)
    assert stage.server.faults.drop_connections("somebody else").touched == 0
    stage.after(MILLISECOND)
    outcome(task)


@pytest.mark.parametrize(("outcome_of_commit", "fen"), [("applied", 11), ("not_applied", 10)])
def test_a_lost_acknowledgement_leaves_the_commit_unknown(outcome_of_commit: str, fen: int) -> None:
    """The client cannot tell the two cases apart; the data can."""
    stage = Stage()
    stage.fill(account(1, 10))
    told = len(stage.commits)
    evidence = stage.server.faults.lose_commit_acks(outcome_of_commit, count=1)  # type: ignore[arg-type]
    with pytest.raises(CommitUnknown):
        stage.run(stage.set(1, 11))
    assert stage.balances() == {1: fen}
    assert len(stage.commits) - told == (fen == 11)
    stage.run(stage.set(1, 12))
    assert stage.balances() == {1: 12}, "only the next one was hit"
    assert evidence.touched == 1


def test_acknowledgements_can_be_lost_by_choice() -> None:
    """The choice sees whose commit it is, which tables it wrote, and which row first."""
    stage = Stage()
    stage.fill(account(1, 10))
    asked = []

    def choose(owner: str, tables: frozenset[str], first_row: str) -> bool:
        asked.append((owner, sorted(tables), first_row))
        return owner == "other"

    evidence = stage.server.faults.lose_commit_acks("applied", choice=choose)
    stage.run(stage.set(1, 11))
    assert asked == [("node", ["accounts"], "accounts:1")]
    assert evidence.touched == 0
    stage.server.faults.keep_commit_acks()
    stage.run(stage.set(1, 12))
    assert len(asked) == 1


def test_a_crash_keeps_the_committed_and_forgets_the_rest() -> None:
    """While down, connecting takes its time and fails; after restart everything committed is there."""
    stage = Stage()
    stage.fill(account(1, 10))

    async def open_work() -> None:
        async with stage.database.transaction() as tx:
            await tx.update(ACCOUNTS, 1, {"fen": 99})
            await sleep(SECOND)
            await tx.update(ACCOUNTS, 1, {"fen": 98})

    task = stage.start(open_work())
    stage.after(10 * MILLISECOND)
    assert stage.server.faults.crash().touched == 1
    start_us = stage.kernel.now
    with pytest.raises(ConnectionLost):
        stage.run(stage.set(1, 11))
    assert stage.kernel.now - start_us >= CONFIG.connect_timeout_us
    with pytest.raises(ConnectionLost):
        outcome(task)
    stage.server.faults.restart()
    assert stage.balances() == {1: 10}
    stage.run(stage.set(1, 12))
    assert stage.balances() == {1: 12}


@pytest.mark.parametrize(("crash_after_us", "fen"), [(200, 10), (300, 11)])
def test_a_crash_during_commit_decides_by_whether_it_had_reached_the_disk(
    crash_after_us: int, fen: int
) -> None:
    """Before the durable instant the commit is lost, after it it counts; the client knows neither."""
    stage = Stage()
    stage.fill(account(1, 10))
    task = stage.start(stage.set(1, 11))
    stage.after(CONFIG.statement_us + crash_after_us)
    stage.server.faults.crash()
    stage.after(SECOND)
    with pytest.raises(CommitUnknown):
        outcome(task)
    assert stage.balances() == {1: fen}


@pytest.mark.parametrize(("crash_after_us", "fen"), [(200, 10), (300, 11)])
@pytest.mark.parametrize("close_first", [True, False])
def test_a_node_that_dies_during_commit_may_have_committed(
    crash_after_us: int, fen: int, close_first: bool
) -> None:
    """By the same instant, whether its coroutine or its connection is taken away first."""
    stage = Stage()
    stage.fill(account(1, 10))
    task = stage.start(stage.set(1, 11))
    stage.after(CONFIG.statement_us + crash_after_us)
    if close_first:
        task.drop()
        stage.server.abandon("node")
    else:
        stage.server.abandon("node")
        task.drop()
    stage.after(SECOND)
    assert stage.balances() == {1: fen}


def test_a_dead_node_has_no_effect_even_if_its_code_still_runs() -> None:
    """Open transactions roll back, locks go to others, and later statements do nothing."""
    stage = Stage()
    stage.fill(account(1, 10), account(2, 20))
    other = stage.server.connect("survivor")
    errors: list[BaseException] = []

    async def zombie() -> None:
        tx = stage.database.transaction()
        await tx.update(ACCOUNTS, 1, {"fen": 99})
        await sleep(SECOND)
        for statement in (tx.update(ACCOUNTS, 1, {"fen": 98}), tx.commit()):
            try:
                await statement
            except NodeDead as error:
                errors.append(error)
        await tx.rollback()
        try:
            await stage.set(2, 97)
        except NodeDead as error:
            errors.append(error)

    async def survivor() -> None:
        async with other.transaction() as tx:
            await tx.update(ACCOUNTS, 1, lambda row: {"fen": row["fen"] + 1})

    undead = stage.start(zombie())
    stage.after(MILLISECOND)
    waiting = stage.start(survivor())
    stage.after(MILLISECOND)
    assert stage.server.abandon("node") == 1
    stage.after(MILLISECOND)
    assert waiting.done, "its lock is free the moment it dies"
    told = len(stage.commits)
    stage.after(2 * SECOND)
    outcome(undead)
    assert len(errors) == 3
    assert len(stage.commits) == told
    assert stage.balances() == {1: 11, 2: 20}


def test_a_session_killed_as_its_wait_ends_does_not_answer() -> None:
    """A statement whose session is gone raises; it must not look as if there were no such row."""
    stage = Stage()
    stage.fill(account(1, 10))
    other = stage.server.connect("other")

    async def hold() -> None:
        async with other.transaction() as tx:
            await tx.get(ACCOUNTS, 1, lock="wait")
            await sleep(10 * MILLISECOND)

    answers: list[object] = []

    async def lock() -> None:
        async with stage.database.transaction() as tx:
            answers.append(await tx.get(ACCOUNTS, 1, lock="wait"))

    stage.start(hold())
    stage.after(MILLISECOND)
    waiter = stage.start(lock())
    stage.after(MILLISECOND)
    stage.server.abandon("other")
    stage.server.faults.drop_connections("node")
    stage.after(MILLISECOND)
    with pytest.raises(ConnectionLost):
        outcome(waiter)
    assert answers == []


def test_a_waiter_that_dies_leaves_its_queue() -> None:
    """The lock goes to the next in line, not to the dead."""
    stage = Stage()
    stage.fill(account(1, 10))
    doomed, patient = stage.server.connect("doomed"), stage.server.connect("patient")

    async def hold() -> None:
        async with stage.database.transaction() as tx:
            await tx.get(ACCOUNTS, 1, lock="wait")
            await sleep(SECOND)

    async def add(fen: int, client_name: str) -> None:
        client = doomed if client_name == "doomed" else patient
        async with client.transaction() as tx:
            await tx.update(ACCOUNTS, 1, lambda row: {"fen": row["fen"] + fen})

    stage.start(hold())
    stage.after(MILLISECOND)
    dead = stage.start(add(100, "doomed"))
    stage.after(MILLISECOND)
    last = stage.start(add(1, "patient"))
    stage.after(MILLISECOND)
    stage.server.abandon("doomed")
    dead.drop()
    stage.after(2 * SECOND)
    outcome(last)
    assert stage.balances() == {1: 11}
    assert stage.server.locks.queues == {}


def test_failover_loses_the_tail_of_asynchronous_replication_and_tells_the_books() -> None:
    """Commits younger than the lag are undone, newest first, rows back to what they were."""
    stage = Stage(DatabaseConfig(replication="async", replica_lag_us=50 * MILLISECOND))
    stage.fill(account(1, 10), account(2, 20))
    stage.after(SECOND)

    async def tail() -> None:
        async with stage.database.transaction() as tx:
            await tx.update(ACCOUNTS, 1, {"fen": 11})
            await tx.insert(ACCOUNTS, account(3, 30))
        async with stage.database.transaction() as tx:
            await tx.update(ACCOUNTS, 1, {"fen": 12, "owner": "shop"})
            await tx.delete_where(ACCOUNTS, {"id": 2})

    stage.run(tail())
    committed = [tx_id for tx_id, _, _ in stage.commits[-2:]]
    evidence = stage.server.faults.failover(lose_tail=True)
    assert evidence.touched == 2
    assert stage.balances() == {1: 10, 2: 20}
    assert [tx_id for tx_id, _ in stage.reverts] == committed[::-1]
    told = [(op, key, row and row["fen"]) for _, changes in stage.reverts for _, op, key, row in changes]
    assert told == [("revert", 2, 20), ("revert", 1, 11), ("revert", 3, None), ("revert", 1, 10)]

    async def read() -> list[int]:
        async with stage.database.transaction() as tx:
            return [row["id"] for row in await tx.select(ACCOUNTS, {"owner": "member"}, order_by="fen")]

    assert stage.run(read()) == [1, 2], "the indexes are back as well"


@pytest.mark.parametrize(
    ("replication", "lose_tail", "pause_us"),
    [("sync", True, 0), ("async", False, 0), ("async", True, 60 * MILLISECOND)],
)
def test_failover_keeps_what_the_replica_has(replication: str, lose_tail: bool, pause_us: int) -> None:
    """Synchronous commits, a replica that caught up, and commits older than the lag are safe."""
    stage = Stage(DatabaseConfig(replication=replication, replica_lag_us=50 * MILLISECOND))  # type: ignore[arg-type]
    stage.fill(account(1, 10))
    stage.run(stage.set(1, 11))
    stage.after(pause_us)
    stage.server.faults.failover(lose_tail=lose_tail)
    assert stage.balances() == {1: 11}
    assert stage.reverts == []


def test_the_replica_shows_the_past_and_refuses_writes() -> None:
    """Reads lag by the configured time; nothing can be written or locked there."""
    stage = Stage(DatabaseConfig(replica_lag_us=20 * MILLISECOND))
    stage.fill(account(1, 10))
    stage.after(SECOND)
    stage.run(stage.set(1, 11))

    async def read(isolation: Isolation = Isolation.READ_COMMITTED) -> int:
        async with stage.database.transaction(isolation, replica=True) as tx:
            row = await tx.get(ACCOUNTS, 1)
            assert row is not None
            return row["fen"]

    async def by_index() -> list[int]:
        async with stage.database.transaction(replica=True) as tx:
            return [row["fen"] for row in await tx.select(ACCOUNTS, {"owner": "member"}, order_by="fen")]

    async def write() -> None:
        async with stage.database.transaction(replica=True) as tx:
            await tx.update(ACCOUNTS, 1, {"fen": 0})

    async def lock() -> None:
        async with stage.database.transaction(replica=True) as tx:
            await tx.get(ACCOUNTS, 1, lock="wait")

    assert stage.run(read()) == 10
    assert stage.run(read(Isolation.REPEATABLE_READ)) == 10
    assert stage.run(by_index()) == [10]
    for refused in (write, lock):
        with pytest.raises(ReadOnly):
            stage.run(refused())
    stage.after(20 * MILLISECOND)
    assert stage.run(read()) == 11
    assert stage.run(by_index()) == [11]


def test_a_lagging_replica_can_be_made_to_catch_up() -> None:
    """`set_replica_lag(0)` shows the present at once."""
    stage = Stage()
    stage.server.faults.set_replica_lag(SECOND)
    stage.fill(account(1, 10))

    async def read() -> bool:
        async with stage.database.transaction(replica=True) as tx:
            return await tx.get(ACCOUNTS, 1) is not None

    assert stage.run(read()) is False
    stage.server.faults.set_replica_lag(0)
    assert stage.run(read()) is True
    assert len(stage.server.unsettled) == 0


def test_a_full_disk_refuses_writes_and_nothing_else() -> None:
    """DiskFull aborts the transaction; reads go on."""
    stage = Stage()
    stage.fill(account(1, 10))
    evidence = stage.server.faults.disk_full(full=True)

    async def insert() -> None:
        async with stage.database.transaction() as tx:
            assert await tx.get(ACCOUNTS, 1) is not None
            with pytest.raises(DiskFull):
                await tx.insert(ACCOUNTS, account(2))

    with pytest.raises(TransactionAborted):
        stage.run(insert())
    with pytest.raises(DiskFull):
        stage.run(stage.set(1, 11))
    stage.server.faults.disk_full(full=False)
    stage.run(stage.set(1, 12))
    assert stage.balances() == {1: 12}
    assert evidence.touched == 2


def test_an_exhausted_pool_queues_and_then_refuses() -> None:
    """Who waits longer than the pool's patience gets PoolExhausted; connections are never lost."""
    stage = Stage(DatabaseConfig(pool_size=1, pool_timeout_us=10 * MILLISECOND))
    stage.fill(account(1, 0))

    async def hold(us: int) -> None:
        async with stage.database.transaction() as tx:
            await tx.update(ACCOUNTS, 1, lambda row: {"fen": row["fen"] + 1})
            await sleep(us)

    first, second = stage.start(hold(5 * MILLISECOND)), stage.start(hold(50 * MILLISECOND))
    third = stage.start(hold(0))
    stage.after(2 * MILLISECOND)
    assert len(stage.database.sessions) == 1
    stage.after(SECOND)
    outcome(first)
    outcome(second)
    with pytest.raises(PoolExhausted):
        outcome(third)
    assert stage.balances() == {1: 2}
    assert stage.database.free == 1


def test_a_shrunken_pool_lends_less_and_recovers() -> None:
    """Connections lent out beyond the new size are not lent again; growing serves the queue."""
    stage = Stage(DatabaseConfig(pool_size=3, pool_timeout_us=SECOND))
    stage.fill(*(account(key) for key in range(1, 4)))

    async def hold(key: int) -> None:
        async with stage.database.transaction() as tx:
            await tx.update(ACCOUNTS, key, {"fen": 1})
            await sleep(10 * MILLISECOND)

    running = [stage.start(hold(key)) for key in (1, 2, 3)]
    stage.after(MILLISECOND)
    shrunk = stage.server.faults.shrink_pool(1)
    late = stage.start(stage.set(1, 7))
    stage.after(20 * MILLISECOND)
    for task in (*running, late):
        outcome(task)
    assert stage.database.free == 1
    assert shrunk.touched == 1  # the late one found none free
    later = stage.server.connect("later")
    assert later.free == 1
    stage.server.faults.shrink_pool(3)
    assert stage.database.free == 3


def test_a_cut_link_loses_the_session_after_the_keepalive() -> None:
    """The server holds the locks of a client it cannot hear until the keepalive gives up."""
    stage = Stage(DatabaseConfig(keepalive_us=SECOND))
    stage.fill(account(1, 10))
    cut = False
    remote = stage.server.connect("remote", link_delay=lambda: None if cut else 1_000)

    async def work() -> None:
        async with remote.transaction() as tx:
            await tx.update(ACCOUNTS, 1, {"fen": 99})
            await sleep(10 * MILLISECOND)
            await tx.get(ACCOUNTS, 1)

    task = stage.start(work())
    stage.after(5 * MILLISECOND)
    cut = True
    waiter = stage.start(stage.set(1, 11))
    stage.after(500 * MILLISECOND)
    assert not waiter.done
    stage.after(SECOND)
    with pytest.raises(ConnectionLost):
        outcome(task)
    outcome(waiter)
    assert stage.balances() == {1: 11}


@pytest.mark.parametrize(("cut_after_us", "fen"), [(0, 10), (1_000, 11)])
def test_a_link_cut_around_commit_leaves_it_unknown(cut_after_us: int, fen: int) -> None:
    """The request or the acknowledgement is lost; the client hears the same."""
    stage = Stage()
    stage.fill(account(1, 10))
    cut = False
    remote = stage.server.connect("remote", link_delay=lambda: None if cut else 1_000)

    async def work() -> None:
        async with remote.transaction() as tx:
            await tx.update(ACCOUNTS, 1, {"fen": 11})
            await sleep(1)

    task = stage.start(work())
    stage.after(CONFIG.statement_us + 1_000 + cut_after_us)
    cut = True
    stage.after(20 * SECOND)
    with pytest.raises(CommitUnknown):
        outcome(task)
    assert stage.balances() == {1: fen}


def test_a_lost_listening_connection_is_noticed() -> None:
    """A dropped connection raises at once; a cut one when the wait is over: notices may be missed."""
    stage = Stage()
    cut = False
    remote = stage.server.connect("remote", link_delay=lambda: None if cut else 0)

    async def announce() -> None:
        async with stage.database.transaction() as tx:
            await tx.insert(ACCOUNTS, account(1))
            tx.notify("work")

    waiting, hearing = (
        stage.start(stage.database.listen("work", SECOND)),
        stage.start(remote.listen("work", SECOND)),
    )
    stage.after(MILLISECOND)
    stage.server.faults.drop_connections("node")
    cut = True
    stage.run(announce(), within_us=MILLISECOND)
    with pytest.raises(ConnectionLost):
        outcome(waiting)
    stage.after(2 * SECOND)
    with pytest.raises(ConnectionLost):
        outcome(hearing)


def test_an_error_of_the_platform_inside_a_transaction_frees_everything() -> None:
    """A cancelled waiter neither keeps its place in the queue nor its connection."""
    stage = Stage(DatabaseConfig(pool_size=2))
    stage.fill(account(1, 10))

    async def hold() -> None:
        async with stage.database.transaction() as tx:
            await tx.get(ACCOUNTS, 1, lock="wait")
            await sleep(SECOND)

    stage.start(hold())
    stage.after(MILLISECOND)
    waiter = stage.start(stage.set(1, 11))
    queued = stage.start(stage.set(1, 12))
    stage.after(MILLISECOND)
    waiter.cancel()
    queued.cancel()
    stage.after(2 * SECOND)
    assert stage.database.free == 2
    assert stage.server.locks.queues == {}
    assert stage.balances() == {1: 10}
