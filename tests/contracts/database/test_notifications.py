"""LISTEN and NOTIFY."""

from __future__ import annotations

from tests.contracts.database.worlds import ITEMS, World, item


def test_notifications_arrive_at_commit_and_only_then(world: World) -> None:
    """NOTIFY is part of its transaction: nothing before commit, nothing after rollback."""
    worker, writer = world.session(), world.session()
    soon_us, long_us = 50_000, 2_000_000
    assert worker.start(worker.database.listen("outbox", soon_us)).result() is False, "and has subscribed"
    for end, heard in (("rollback", False), ("commit", True)):
        writer.begin()
        writer.run(writer.tx.insert(ITEMS, item(1, 1)))
        writer.tx.notify("outbox")
        assert worker.start(worker.database.listen("outbox", soon_us)).result() is False
        writer.run(getattr(writer.tx, end)())
        timeout_us = long_us if heard else soon_us
        assert worker.start(worker.database.listen("outbox", timeout_us)).result() is heard
    assert worker.start(worker.database.listen("outbox", soon_us)).result() is False, "once is once"
