"""Is this machine fit, and does the same seed give the same history in another process?

Determinism is tried, not hoped for: each scenario on each design runs once in two processes whose
`PYTHONHASHSEED` differ, and the first event that differs is named.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import zip_longest
from pathlib import Path

from scenarios import loading

HASH_SEEDS = ("1", "4242")
_PACKAGES = (
    "simpy",
    "msgspec",
    "pydantic",
    "ruamel.yaml",
    "typer",
    "rich",
    "jinja2",
    "matplotlib",
    "cryptography",
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it should be, and what was seen."""

    subject: str
    good: bool
    seen: str


def environment(directory: Path) -> Iterator[Finding]:
    """Python, packages, cores, and whether results can be written to `directory`."""
    yield Finding("Python", sys.version_info >= (3, 11), platform.python_version())
    for package in _PACKAGES:
        try:
            yield Finding(package, True, version(package))
        except PackageNotFoundError:
            yield Finding(package, False, "not installed")
    yield Finding("cores", True, str(os.cpu_count() or 1))
    try:
        with tempfile.TemporaryDirectory(dir=directory):
            yield Finding("results", True, f"{directory.resolve()} can be written")
    except OSError as error:
        yield Finding("results", False, f"{directory.resolve()} cannot be written: {error.strerror}")
    yield Finding("library", bool(loading.library()), f"{len(loading.library())} scenarios")


def determinism(scenarios: Sequence[str], designs: Sequence[str], seed: int) -> Iterator[Finding]:
    """One finding for each scenario on each design, as both processes get through it."""
    cells = [[scenario, design] for scenario in scenarios for design in designs]
    children = [_child(hash_seed, {"seed": seed, "cells": cells}) for hash_seed in HASH_SEEDS]
    streams = [child.stdout for child in children if child.stdout is not None]
    seen = 0
    try:
        for (scenario, design), *lines in zip(cells, *streams, strict=False):
            seen += 1
            yield _compared(scenario, design, seed, *(json.loads(line) for line in lines))
        if seen < len(cells):
            yield Finding("determinism", False, f"a process ended early: {_last_words(children)}")
    finally:
        for child in children:
            child.kill()
            child.communicate()


def _compared(scenario: str, design: str, seed: int, one: dict[str, str], other: dict[str, str]) -> Finding:
    subject = f"{scenario} on {design}, seed {seed}"
    for told in (one, other):
        if "error" in told:
            return Finding(subject, False, f"the run broke: {told['error']}")
    if one == other:
        return Finding(subject, True, f"digest {one['digest']} twice")
    return Finding(subject, False, _first_difference(scenario, design, seed))


def _last_words(children: Sequence[subprocess.Popen[str]]) -> str:
    texts = [child.communicate()[1].strip() for child in children if child.wait()]
    return next((text.splitlines()[-1] for text in texts if text), "without a word")


def _child(hash_seed: str, task: dict[str, object]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - this very interpreter, with our own arguments
        [sys.executable, "-m", "chaos.doctor", json.dumps(task)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _first_difference(scenario: str, design: str, seed: int) -> str:
    """Run both again with whole histories and compare them line by line."""
    task: dict[str, object] = {"seed": seed, "cells": [[scenario, design]], "whole": True}
    texts = [_child(hash_seed, task).communicate()[0].splitlines() for hash_seed in HASH_SEEDS]
    return first_difference(*texts)


def first_difference(one: Sequence[str], other: Sequence[str]) -> str:
    """The number and both forms of the first event that differs (the header is line 0)."""
    for number, (left, right) in enumerate(zip_longest(one, other, fillvalue="(the history ends)")):
        if left != right:
            return f"event {number} differs: {left} against {right}"
    return "digests differ, histories do not: the difference comes and goes"


def _main(argument: str) -> None:
    """The child: digests, a line each, or one whole history."""
    from chaos.run import run

    task = json.loads(argument)
    for name, design in task["cells"]:
        try:
            result = run(loading.load(name), design, task["seed"])
        except Exception as error:  # noqa: BLE001 - a run that breaks is a finding; the others are still tried
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)  # noqa: T201
            continue
        if task.get("whole"):
            sys.stdout.writelines(line.decode() + "\n" for line in result.history.lines())
        else:
            print(json.dumps({"digest": result.digest}), flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    _main(sys.argv[1])
