"""What the books hear of commits: once, at the right instant, the net effect of each row."""

from __future__ import annotations

from tests.sim.database.stage import ACCOUNTS, NOTES, Stage, account


def test_a_commit_is_told_as_the_net_change_of_each_row_in_order_of_first_writes() -> None:
    """Several updates of a row are one; what was inserted and deleted again is nothing."""
    stage = Stage()
    stage.fill(account(1, 10), account(2, 20), account(3, 30))
    stage.commits.clear()

    async def work() -> None:
        async with stage.database.transaction() as tx:
            await tx.update(ACCOUNTS, 2, {"fen": 21})
            await tx.insert(ACCOUNTS, account(9, 1))
            await tx.insert(ACCOUNTS, account(8, 1))
            await tx.update(ACCOUNTS, 2, {"fen": 22})
            await tx.update(ACCOUNTS, 9, {"fen": 2})
            await tx.delete_where(ACCOUNTS, {"id": 8})
            await tx.delete_where(ACCOUNTS, {"id": 1})
            await tx.get(ACCOUNTS, 3, lock="wait")

    stage.run(work())
    [(_, owner, changes)] = stage.commits
    assert owner == "node"
    assert [(table.name, op, key, row and row["fen"]) for table, op, key, row in changes] == [
        ("accounts", "update", 2, 22),
        ("accounts", "insert", 9, 2),
        ("accounts", "delete", 1, 10),
    ]


def test_tables_without_a_book_and_rolled_back_work_are_not_told() -> None:
    """Nothing is called for them, not even with an empty list."""
    stage = Stage()

    async def note() -> None:
        async with stage.database.transaction() as tx:
            await tx.insert(NOTES, account(1))

    async def give_up() -> None:
        tx = stage.database.transaction()
        await tx.insert(ACCOUNTS, account(1))
        await tx.rollback()

    stage.run(note())
    stage.run(give_up())
    assert stage.commits == []
    assert stage.balances() == {}


def test_the_books_hear_of_a_commit_at_the_instant_others_see_it() -> None:
    """Before the call nobody sees the commit, and from the call on everybody does."""
    stage = Stage()
    stage.fill(account(1, 10))
    seen: list[tuple[int, int]] = []

    async def watch() -> None:
        for _ in range(20):
            async with stage.database.transaction() as tx:
                row = await tx.get(ACCOUNTS, 1)
                assert row is not None
                seen.append((row["fen"], len(stage.commits)))

    told = len(stage.commits)
    stage.start(stage.set(1, 11))
    stage.run(watch())
    assert set(seen) == {(10, told), (11, told + 1)}


def test_rows_are_handed_out_by_reference_and_never_changed() -> None:
    """A row once read stays as it was, whatever happens to the table."""
    stage = Stage()
    stage.fill(account(1, 10))
    row = stage.server.stores["accounts"].rows[1]
    stage.run(stage.set(1, 11))
    assert row["fen"] == 10
    assert stage.balances() == {1: 11}
