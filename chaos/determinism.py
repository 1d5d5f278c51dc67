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
from importlib import import_module

from chaos.doctor import HASH_SEEDS, Finding
from scenarios import loading

WATCHED = 20
"""The watcher is told after so many."""

_BROKEN = "broken:"
_SHOWN = 10
"""Differences that are named; all are counted."""


@dataclass
class DoubleRuns:
    """How far it got. `differing` names the first of `differences`; `error` says why it ended early."""

    wanted: int
    done: int = 0
    differences: int = 0
    broken: int = 0
    differing: list[str] = field(default_factory=list)
    interrupted: bool = False
    error: str = ""

    def findings(self) -> list[Finding]:
        """As the doctor tells them: the sum, then the first differences."""
        ended = f"; ended early: {self.error}" if self.error else ""
        broken = f", {self.broken} broke" if self.broken else ""
        seen = f"{self.done} of {self.wanted} made, {self.differences} differences{broken}{ended}"
        good = self.done == self.wanted and not (self.differences or self.broken or self.error)
        return [
            Finding("double runs", good, seen),
            *(Finding("double run", False, words) for words in self.differing),
        ]


def double_runs(
    scenarios: Sequence[str],
    designs: Sequence[str],
    count: int,
    watch: Callable[[DoubleRuns], None] | None = None,
    runner: str = "chaos.run:run",
) -> DoubleRuns:
    """`count` double runs, in turn over all scenarios and designs, with seeds from 1 up.

    An interrupt ends it early; what was compared until then is in the answer. `runner` is what both
    processes import and call.
    """
    state = DoubleRuns(count)
    task = json.dumps(
        {"scenarios": list(scenarios), "designs": list(designs), "count": count, "runner": runner}
    )
    children = [_child(task, hash_seed) for hash_seed in HASH_SEEDS]
    streams = [child.stdout for child in children if child.stdout is not None]
    try:
        for one, other in zip(*streams, strict=False):
            state.done += 1
            state.broken += _BROKEN in one
            if one != other:
                state.differences += 1
                if len(state.differing) < _SHOWN:
                    state.differing.append(f"{one.strip()} against {other.split()[-1]}")
            if watch is not None and state.done % WATCHED == 0:
                watch(state)
        if state.done < count:
            state.error = f"a process ended early: {_last_words(children)}"
    except KeyboardInterrupt:
        state.interrupted = True
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
    """A child: a line with token and digest for each run, or with the error of one that broke."""
    task = json.loads(argument)
    module, _, name = task["runner"].partition(":")
    run = getattr(import_module(module), name)
    loaded = [loading.load(name) for name in task["scenarios"]]
    cells = [(scenario, design) for scenario in loaded for design in task["designs"]]
    for number in range(task["count"]):
        scenario, design = cells[number % len(cells)]
        seed = 1 + number // len(cells)
        try:
            digest = run(scenario, design, seed).digest
        except Exception as error:  # noqa: BLE001 - one that breaks is counted; the others are still made
            digest = f"{_BROKEN}{type(error).__name__}"
        print(f"{scenario.name}:{design}:{seed} {digest}", flush=number % WATCHED == WATCHED - 1)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    _main(sys.argv[1])
