"""Many runs, each in two processes at once: the proof behind "the same seed, the same history".

The processes differ in `PYTHONHASHSEED`, in where objects lie in memory, and in nothing that a run may
look at. Only digests travel, so a hundred thousand double runs need no more memory than one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scenarios import loading

HASH_SEEDS = ("1", "4242")
_SHOWN = 10
"""Differences that are named; all are counted."""


@dataclass
class DoubleRuns:
    """How far it got. `differing` names the first of `differences`; `error` says why it ended early."""

    wanted: int
    done: int = 0
    differences: int = 0
    differing: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def good(self) -> bool:
        """All were made, and every pair was equal."""
        return self.done == self.wanted and not self.differences and not self.error


def double_runs(
    scenarios: Sequence[str],
    designs: Sequence[str],
    count: int,
    watch: Callable[[DoubleRuns], None] | None = None,
    hash_seeds: tuple[str, str] = HASH_SEEDS,
) -> DoubleRuns:
    """`count` double runs, in turn over all scenarios and designs, with seeds from 1 up.

    An interrupt ends it early; what was compared until then is in the answer.
    """
    state = DoubleRuns(count)
    task = json.dumps({"scenarios": list(scenarios), "designs": list(designs), "count": count})
    children = [_child(task, hash_seed) for hash_seed in hash_seeds]
    streams = [child.stdout for child in children if child.stdout is not None]
    try:
        for one, other in zip(*streams, strict=False):
            state.done += 1
            if one != other:
                state.differences += 1
                if len(state.differing) < _SHOWN:
                    state.differing.append(f"{one.strip()} against {other.split()[-1]}")
            if watch is not None and state.done % 100 == 0:
                watch(state)
        if state.done < count:
            state.error = f"a process ended early: {_last_words(children)}"
    except KeyboardInterrupt:
        state.error = "interrupted"
    finally:
        for child in children:
            child.kill()
            child.communicate()
    return state


def _child(task: str, hash_seed: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - this very interpreter, with our own arguments
        [sys.executable, "-m", "chaos.determinism", task],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _last_words(children: Sequence[subprocess.Popen[str]]) -> str:
    for child in children:
        child.terminate()
    texts = [child.communicate()[1].strip() for child in children]
    return next((text.splitlines()[-1] for text in texts if text), "without a word")


def _main(argument: str) -> None:
    """A child: a line with token and digest for each run. A run that breaks has its error for a digest."""
    from chaos.run import run

    task = json.loads(argument)
    loaded = [loading.load(name) for name in task["scenarios"]]
    cells = [(scenario, design) for scenario in loaded for design in task["designs"]]
    for number in range(task["count"]):
        scenario, design = cells[number % len(cells)]
        seed = 1 + number // len(cells)
        try:
            digest = run(scenario, design, seed).digest
        except Exception as error:  # noqa: BLE001 - breaking is compared too: it must be the same in both
            digest = f"{type(error).__name__}:{error}".replace(" ", "_").replace("\n", "_")
        print(f"{scenario.name}:{design}:{seed} {digest}", flush=number % 20 == 19)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    _main(sys.argv[1])
