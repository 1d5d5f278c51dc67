"""What of a live run is worth keeping beside its history: logs, figures of the load, how time passed.

`clock.json` says how much of the run passed in leaps, and who kept the clock from leaping; `load.json` and
`load_stats.csv` are the load's; `logs/` is what each process said, empty ones left out.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from chaos.live.conductor import Figures
from chaos.live.load import figures

STATISTICS = "load_stats.csv"


def keep(directory: Path, target: Path, clock: Figures, loads: Iterable[Path]) -> None:
    """Copy it from the run's own directory into `target`, which is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "logs").mkdir(parents=True)
    for log in sorted((directory / "logs").iterdir()):
        if log.stat().st_size:
            shutil.copy(log, target / "logs" / log.name)
    if (directory / STATISTICS).exists():
        shutil.copy(directory / STATISTICS, target / STATISTICS)
    _write(target / "load.json", figures.rows(figures.load(loads)))
    _write(target / "clock.json", clock)


def _write(path: Path, data: object) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=1) + b"\n")
