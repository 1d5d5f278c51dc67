"""What an attack must not do: change a row, or go unlogged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.chaos.live.stage import Stage, until

STILL_US = 300_000


def at_rest(stage: Stage) -> dict[str, list[str]]:
    """Every row of every table, once nothing waits to be sent and nothing has moved for a while."""
    seen = [stage.tables()]

    def still() -> bool:
        begun_us = stage.clock.now_us()
        until(lambda: stage.clock.now_us() > begun_us + STILL_US, "time goes by")
        seen.append(stage.tables())
        return seen[-1] == seen[-2] and not any("'pending'" in row for row in seen[-1]["outbox"])

    until(still, "the platform is at rest")
    return seen[-1]


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, set[str]]:
    """The rows that came or went, by table."""
    rows = {name: set(before[name]) ^ set(after[name]) for name in before}
    return {name: different for name, different in rows.items() if different}


@contextmanager
def refused(stage: Stage) -> Iterator[list[dict[str, Any]]]:
    """Whatever the block does leaves no trace in the database and is refused in the log.

    The list is filled with the new lines of the log at the end. A job that comes due meanwhile, such as the
    watch over an unpaid order, may move on: that is the platform's own doing.
    """
    before, known, due_us = at_rest(stage), len(stage.log()), stage.jobs()
    lines: list[dict[str, Any]] = []
    yield lines
    lines += stage.log()[known:]
    assert lines, "nothing was logged"
    assert all(line["event"] == "refused" for line in lines), lines
    assert all(line["code"] for line in lines), lines
    different = changed(before, stage.tables())
    own = tuple(f"('{job_id}'," for job_id, at_us in due_us.items() if at_us <= stage.now_us())
    if own:
        moved = {row for row in different.pop("jobs", set()) if not row.startswith(own)}
        different |= {"jobs": moved} if moved else {}
    assert different == {}, different
