"""Campaigns: how much faster are two workers than one, and how much of it does a Dask cluster keep?

The same small storms, CPU-bound, on each engine. On a machine that others use too, wall times say little. So the
share of their time that workers spent inside runs is given as well: it does not change when everything is
slowed down alike, and 2 × the share of two workers over that of one is what an idle machine can reach.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from chaos.campaign import Order, conduct
from chaos.results import Results
from chaos.run import run
from scenarios import loading


def order(out: Path, seeds: int, jobs: int, engine: str) -> Order:
    """Two storms on two designs."""
    scenarios = [loading.load(name) for name in ("callback_late", "callback_doubled")]
    return Order(scenarios, ["naive", "resilient"], range(1, seeds + 1), run, out, jobs, engine=engine)


def campaign(seeds: int, jobs: int, engine: str = "local") -> dict[str, float]:
    """One campaign in a fresh process, so that memory and caches are alike."""
    command = [sys.executable, "-m", "benchmarks.campaigns", "--child", f"{seeds},{jobs},{engine}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    found: dict[str, float] = json.loads(done.stdout)
    return found


def child(seeds: int, jobs: int, engine: str) -> dict[str, float]:
    """Wall time of the campaign, and processor time of this process and of its workers."""
    out = Path(tempfile.mkdtemp())
    try:
        conduct(order(out / "warm", 4, jobs, engine))
        before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        began = time.perf_counter()
        ended = conduct(order(out / "r", seeds, jobs, engine))
        wall_s = time.perf_counter() - began
        busy_s = sum(each.wall_ms for each in Results(out / "r").runs()) / 1000
        after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    finally:
        shutil.rmtree(out)
    own, workers = (
        late.ru_utime + late.ru_stime - early.ru_utime - early.ru_stime
        for early, late in zip(before, after, strict=True)
    )
    runs = sum(cell.runs for cell in ended.cells)
    share = busy_s / wall_s / ended.jobs
    return {"runs": runs, "wall_s": wall_s, "busy": share, "own_cpu_s": own, "workers_cpu_s": workers}


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """A scheduler and workers on loopback."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    address = f"127.0.0.1:{port}"
    serving = [
        subprocess.Popen([*dask, *words, "--no-dashboard"], start_new_session=True, **quiet)  # type: ignore[call-overload]  # noqa: S603
        for words in (
            ["scheduler", "--host", "127.0.0.1", "--port", str(port)],
            ["worker", f"tcp://{address}", "--nworkers", str(workers), "--nthreads", "1"],
        )
    ]
    time.sleep(8)  # until all workers are there
    try:
        yield f"dask://{address}"
    finally:
        for process in serving:
            os.killpg(process.pid, 9)
            process.wait()


def main() -> None:
    """Print a table: the best of some rounds, engines taken in turn."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--dask", action="store_true", help="also through a Dask scheduler and two workers")
    parser.add_argument("--child", help="SEEDS,JOBS,ENGINE: one campaign, as JSON")
    options = parser.parse_args()
    if options.child:
        seeds, jobs, engine = options.child.split(",")
        json.dump(child(int(seeds), int(jobs), engine), sys.stdout)
        return
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(options.rounds):
        found.setdefault("one process", []).append(campaign(options.seeds, 1))
        found.setdefault("two processes", []).append(campaign(options.seeds, 2))
        if options.dask:
            with cluster(2) as engine:
                found.setdefault("two Dask workers", []).append(campaign(options.seeds, 1, engine))
    one = min(found["one process"], key=lambda row: row["wall_s"])
    for name, rows in found.items():
        best = min(rows, key=lambda row: row["wall_s"])
        workers = 1 if rows is found["one process"] else 2
        print(
            f"{name:18} {best['runs'] / best['wall_s']:6.0f} runs/s  {one['wall_s'] / best['wall_s']:5.2f} × by wall"
            f"  {workers * best['busy'] / one['busy']:5.2f} × by share"
            f"  in runs {best['busy']:5.1%}  parent {best['own_cpu_s']:5.2f} s CPU of {best['wall_s']:.1f} s"
        )
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
