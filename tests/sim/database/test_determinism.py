"""The same work gives the same history, whatever the process and its hash seed."""

from __future__ import annotations

import hashlib
import subprocess
import sys

from reference_platform.ports import DatabaseError, Isolation
from sim.kernel import sleep
from tests.sim.database.stage import ACCOUNTS, SECOND, Stage, account


def story() -> str:
    """A digest of everything that a contended run told its books and its clients."""
    stage = Stage()
    stage.fill(*(account(key, 100, owner=f"owner-{key % 3}") for key in range(10)))
    lines: list[str] = []

    async def client(number: int) -> None:
        for turn in range(8):
            level = list(Isolation)[(number + turn) % 3]
            try:
                async with stage.database.transaction(level) as tx:
                    where = {"owner": f"owner-{(number + turn) % 3}"}
                    rows = await tx.select(ACCOUNTS, where, order_by="fen")
                    for row in rows[:2]:
                        await tx.update(ACCOUNTS, row["id"], lambda row: {"fen": row["fen"] + number})
                    await sleep(number * 7)
            except DatabaseError as error:
                lines.append(f"{stage.kernel.now} {number} {type(error).__name__}")

    for number in range(8):
        stage.start(client(number))
    stage.kernel.call_at(3_000, stage.server.faults.drop_connections)
    assert stage.kernel.run_until_idle(600 * SECOND)
    assert lines, "the story has errors in it, or it would prove little"
    lines.extend(
        f"{tx_id} {owner} {[(table.name, op, key, row) for table, op, key, row in changes]}"
        for tx_id, owner, changes in stage.commits
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_the_history_is_the_same_in_another_process_with_another_hash_seed() -> None:
    """No order in the database depends on hashes or addresses."""
    program = "from tests.sim.database.test_determinism import story; print(story())"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "4242")
    }
    assert digests == {story()}
