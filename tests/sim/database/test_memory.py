"""Versions and index entries go when nobody can see them any more. Counted, not timed."""

from __future__ import annotations

from reference_platform.ports import Isolation
from sim.database import DatabaseConfig
from sim.kernel import sleep
from tests.sim.database.stage import ACCOUNTS, MILLISECOND, SECOND, Stage, account, outcome


def test_without_snapshots_a_row_has_one_version_and_one_entry() -> None:
    """A hundred commits on a row leave the row and nothing else."""
    stage = Stage()
    stage.wake_indexes()
    stage.fill(account(1))
    for fen in range(100):
        stage.run(stage.set(1, fen))
    store = stage.server.stores["accounts"]
    assert store.versions() == 1
    assert type(store.rows[1]) is dict
    assert len(stage.entries()) == 1
    assert len(stage.server.unsettled) == 0


def test_a_snapshot_keeps_what_it_sees_and_no_longer_than_it_lives() -> None:
    """While a snapshot is open it reads its version; afterwards one version is left."""
    stage = Stage()
    stage.fill(account(1, 0), account(2, 0))
    store = stage.server.stores["accounts"]

    async def reader() -> list[int]:
        seen = []
        async with stage.database.transaction(Isolation.REPEATABLE_READ) as tx:
            for _ in range(50):
                rows = await tx.select(ACCOUNTS, {"owner": "member"}, order_by="fen")
                seen.extend([row["fen"] for row in rows])
        return seen

    reading = stage.start(reader())
    stage.after(MILLISECOND)
    for fen in range(1, 11):
        stage.start(stage.set(1, fen))
        stage.after(MILLISECOND // 2)
    stage.after(MILLISECOND)
    assert store.versions() == 2 + 10, "each commit since the snapshot is kept behind it"
    stage.run(stage.set(2, 5))
    assert reading.value == [0] * 100
    assert store.versions() == 2
    assert len(stage.entries()) == 2
    assert all(type(row) is dict for row in store.rows.values())


def test_versions_that_share_an_entry_are_forgotten_together() -> None:
    """A row that went back and forth under a snapshot leaves one entry, its last."""
    stage = Stage()
    stage.wake_indexes()
    stage.fill(account(1, 0))
    store = stage.server.stores["accounts"]

    async def reader() -> None:
        async with stage.database.transaction(Isolation.REPEATABLE_READ) as tx:
            for _ in range(40):
                await tx.get(ACCOUNTS, 1)

    reading = stage.start(reader())
    for fen in (5, 0, 5, 7):
        stage.start(stage.set(1, fen))
        stage.after(MILLISECOND)
    assert store.versions() == 5
    assert len(stage.entries()) == 3
    stage.after(5 * MILLISECOND)
    outcome(reading)
    assert stage.entries() == [(7, 1)]


def test_an_index_that_wakes_up_late_knows_every_version() -> None:
    """Woken while rows are written, locked and seen by a snapshot, it ends with one entry a row."""
    stage = Stage()
    stage.fill(*(account(key, 0) for key in range(1, 5)))
    store = stage.server.stores["accounts"]

    async def reader() -> list[int]:
        async with stage.database.transaction(Isolation.REPEATABLE_READ) as tx:
            await tx.get(ACCOUNTS, 1)
            await sleep(20 * MILLISECOND)
            return [row["fen"] for row in await tx.select(ACCOUNTS, {"owner": "member"}, order_by="fen")]

    async def writer(roll_back: bool, key: int) -> None:
        tx = stage.database.transaction()
        await tx.get(ACCOUNTS, key, lock="wait")
        await tx.update(ACCOUNTS, key, {"fen": 7})
        await sleep(5 * MILLISECOND)
        await tx.update(ACCOUNTS, key, {"fen": 9})
        await (tx.rollback() if roll_back else tx.commit())

    reading = stage.start(reader())
    stage.after(MILLISECOND)
    stage.start(stage.set(1, 5))
    stage.start(writer(True, 2))
    stage.start(writer(False, 3))
    stage.after(2 * MILLISECOND)
    assert store.sleeping, "nobody has asked yet"
    assert stage.entries() == [(0, 1), (0, 2), (0, 3), (0, 4), (5, 1), (7, 2), (7, 3)]
    stage.after(SECOND)
    assert outcome(reading) == [0, 0, 0, 0]
    assert stage.entries() == [(0, 2), (0, 4), (5, 1), (9, 3)]
    assert all(type(row) is dict for row in store.rows.values())


def test_deleted_rows_vanish_with_the_last_snapshot_that_shows_them() -> None:
    """A deletion is kept as long as somebody may still see the row, then it leaves no trace."""
    stage = Stage()
    stage.fill(account(1, 7), account(2, 8))
    store = stage.server.stores["accounts"]

    async def reader() -> int:
        async with stage.database.transaction(Isolation.REPEATABLE_READ) as tx:
            await tx.get(ACCOUNTS, 2)
            for _ in range(10):
                await tx.get(ACCOUNTS, 2)
            return len(await tx.select(ACCOUNTS, {"owner": "member"}))

    async def delete() -> None:
        async with stage.database.transaction() as tx:
            await tx.delete_where(ACCOUNTS, {})

    reading = stage.start(reader())
    stage.run(delete())
    assert reading.value == 2
    assert store.rows == {}
    assert stage.entries() == []


def test_a_lock_alone_leaves_nothing_behind() -> None:
    """Rows locked and not changed are plain rows again."""
    stage = Stage()
    stage.fill(account(1), account(2))

    async def lock() -> None:
        async with stage.database.transaction() as tx:
            await tx.select(ACCOUNTS, {"owner": "member"}, lock="wait")

    stage.run(lock())
    assert all(type(row) is dict for row in stage.server.stores["accounts"].rows.values())


def test_replica_lag_keeps_a_window_of_versions_and_no_more() -> None:
    """What the replica has replayed is forgotten: the window does not grow with the run."""
    stage = Stage(DatabaseConfig(replica_lag_us=10 * MILLISECOND))
    stage.fill(account(1))

    async def hammer() -> None:
        for fen in range(500):
            await stage.set(1, fen)

    stage.run(hammer())
    per_commit_us = stage.server.config.statement_us + stage.server.config.commit_us
    window = 10 * MILLISECOND // per_commit_us
    assert window <= stage.server.stores["accounts"].versions() <= window + 3
    assert len(stage.server.replica.log) <= window + 2


def test_committed_serializable_transactions_are_forgotten() -> None:
    """The conflict graph holds only what overlaps an open transaction."""
    stage = Stage()
    stage.fill(account(1))

    async def work(fen: int) -> None:
        async with stage.database.transaction(Isolation.SERIALIZABLE) as tx:
            await tx.select(ACCOUNTS, {"owner": "member"})
            await tx.update(ACCOUNTS, 1, {"fen": fen})

    for fen in range(20):
        stage.run(work(fen))
    assert stage.server.graph.nodes == []
