"""Planted: a node dies, and with it the work that it was about to do (X-45)."""

from __future__ import annotations

from dataclasses import replace

from reference_platform.designs import resilient
from reference_platform.jobs import Jobs
from reference_platform.platform import OrderPlatform, assemble
from reference_platform.ports import Ports, Transaction
from reference_platform.tables import JobRow
from reference_platform.wiring import Config

NAME = "planted.work_kept_in_memory"
SUMMARY = "Starts the work that follows a commit from memory, without a row that outlives the node."
SUMMARY_ZH = "提交之后要做的事只放在内存里，节点一崩就没人记得。"
CATCHES = "I-19"
SCENARIO = "node_crash_around_commit"
REAL = ""


class StartsAtOnce(Jobs):
    """The row was written only to be deleted a second later, in every run that anybody had looked at."""

    async def begin(self, tx: Transaction, job: str, ref: str) -> None:
        now = self.clock.now_us()
        row: JobRow = {"job_id": f"{job}:{ref}", "job": job, "ref": ref, "due_us": now, "tries": 1}
        self.shop.transactions.after_commit(tx, lambda: self.launch(row))


CONFIG = resilient.CONFIG
PARTS = replace(resilient.PARTS, jobs=StartsAtOnce)


def build(ports: Ports, config: Config = CONFIG) -> OrderPlatform:
    """This design on one node."""
    return assemble(PARTS, config, ports)
