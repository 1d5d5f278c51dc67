"""What a load process is told, as one JSON file: whom to be, where everybody is, and when to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

ENVIRONMENT = "DINGFENG_LOAD"
"""Names the file of the order to the processes that Locust starts."""


class LoadOrder(msgspec.Struct, frozen=True):
    """Addresses are `host:port`, of proxies where there are any. Times are µs of run time.

    `slots`, `journals`, `ops_from` and `figures` have one entry for each process that makes load. Work that is due for longer than
    `late_max_us`, or finds `open_max` requests under way in its process, is dropped and counted. `plan` and
    `keep` are those of a run, `openings` is as in `chaos.live.settings`.
    """

    scenario: dict[str, Any]
    design: str
    seed: int
    clock: str
    slots: list[str]
    journals: list[str]
    ops_from: list[int]
    figures: list[str]
    edge: str
    channels: dict[str, str]
    key: str
    end_us: int
    openings: str
    plan: dict[str, dict[str, Any]] | None = None
    keep: list[int] | None = None
    late_max_us: int = 60_000_000
    open_max: int = 500

    def save(self, path: Path) -> Path:
        """Write it; the path again."""
        path.write_bytes(msgspec.json.encode(self))
        return path


def load(path: Path) -> LoadOrder:
    """Read an order. Raises ValueError naming the file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LoadOrder)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path}: not an order for load: {error}") from error
