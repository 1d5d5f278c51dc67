"""Fills a results directory as results come, and takes up one that was left in the middle.

A line is written when its run is done, in whatever order that is, so a kill loses only what was being
run at that moment. `arrange` brings the lines into the order of scenarios, designs and seeds when the
campaign ends; it replaces the file whole, or not at all. One process writes a directory at a time.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path

import msgspec

from chaos.results import Campaign, ResultsError, Run, cannot_write, claim

if sys.platform != "win32":
    import fcntl

_UNFINISHED = ".unfinished"


class _Key(msgspec.Struct, frozen=True):
    """What of a line says where it belongs."""

    scenario: str
    design: str
    seed: int
    failure: str = ""


class Writer:
    """Writes a fresh directory, or with `campaign` left out goes on in one that is there."""

    def __init__(self, path: Path, campaign: Campaign | None = None) -> None:
        self.path = path
        if campaign is not None:
            claim(path)
        self._lock = _locked(path)
        try:
            if campaign is not None:
                self.save(campaign)
            else:
                _sweep(path)
            self._runs = (path / "runs.jsonl").open("ab")
        except OSError as error:
            os.close(self._lock)
            raise cannot_write(path, error) from error

    def save(self, campaign: Campaign) -> None:
        """Write campaign.json whole, or not at all."""
        text = msgspec.json.format(msgspec.json.encode(campaign), indent=2)
        fresh = self.path / "campaign.json.new"
        fresh.write_bytes(text + b"\n")
        fresh.replace(self.path / "campaign.json")

    def add(self, run: Run) -> None:
        """Append a run; on disk after the next `flush`."""
        self._runs.write(msgspec.json.encode(run) + b"\n")

    def append(self, lines: bytes) -> None:
        """Append encoded runs and hand them to the operating system, so that a kill loses none of them."""
        self._runs.write(lines)
        self._runs.flush()

    def flush(self) -> None:
        """Hand what was added to the operating system."""
        self._runs.flush()

    def tried(self, run: Run) -> None:
        """Append the run of a saved plan to corpus.jsonl."""
        with (self.path / "corpus.jsonl").open("ab") as lines:
            lines.write(msgspec.json.encode(run) + b"\n")

    def keep(self, folder: str, run_id: str, files: dict[str, bytes]) -> None:
        """Keep the artefacts of a run under failures/ or samples/: all of them, or none."""
        keep(self.path / folder / run_id, files)

    def drop_others(self, folder: str, run_ids: Collection[str]) -> None:
        """Forget the artefacts of runs that turned out not to be among the first of their kind."""
        target = self.path / folder
        if not target.is_dir():
            return
        for entry in sorted(target.iterdir()):
            if entry.name not in run_ids:
                shutil.rmtree(entry)
        if not run_ids:
            target.rmdir()

    def arrange(self, place: Callable[[str, str, int], tuple[int, int]], kept: Collection[str]) -> None:
        """Sort the lines by `place`; only runs in `kept` go on naming artefacts."""
        self._runs.flush()
        file = self.path / "runs.jsonl"
        if not file.stat().st_size:
            return
        decode = msgspec.json.Decoder(_Key).decode
        fresh = self.path / "runs.jsonl.new"
        with file.open("rb") as source, mmap(source.fileno(), 0, access=ACCESS_READ) as lines:
            found = []
            start = 0
            while (end := lines.find(b"\n", start) + 1) > 0:
                key = decode(lines[start:end])
                outdated = bool(key.failure) and key.failure not in kept
                found.append((place(key.scenario, key.design, key.seed), start, end, outdated))
                start = end
            with fresh.open("wb") as target:
                for _, start, end, outdated in sorted(found):
                    target.write(_without_failure(lines[start:end]) if outdated else lines[start:end])
        fresh.replace(file)

    def close(self) -> None:
        """Close the files and let others write here."""
        self._runs.close()
        os.close(self._lock)


def _without_failure(line: bytes) -> bytes:
    run = msgspec.json.decode(line, type=Run)
    return msgspec.json.encode(msgspec.structs.replace(run, failure="")) + b"\n"


def keep(target: Path, files: dict[str, bytes]) -> None:
    """Write a directory of files whole, or not at all; one that is there already is replaced."""
    fresh = target.with_name(target.name + _UNFINISHED)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, content in files.items():
        (fresh / name).write_bytes(content)
    if target.exists():
        shutil.rmtree(target)
    fresh.rename(target)


def _sweep(path: Path) -> None:
    """Remove what a kill left half written: the last line, and files that had not taken their place."""
    for fresh in (path / "campaign.json.new", path / "runs.jsonl.new"):
        fresh.unlink(missing_ok=True)
    for fresh in [*path.glob(f"failures/*{_UNFINISHED}"), *path.glob(f"samples/*{_UNFINISHED}")]:
        shutil.rmtree(fresh)
    for name in ("runs.jsonl", "corpus.jsonl"):
        with suppress(FileNotFoundError), (path / name).open("rb+") as lines:
            size = lines.seek(0, os.SEEK_END)
            at = size
            while at and (lines.seek(at - 1), lines.read(1))[1] != b"\n":
                at -= 1
            lines.truncate(at)


def _locked(path: Path) -> int:
    """A descriptor that holds the directory's lock until it is closed, or the process ends."""
    descriptor = os.open(path, os.O_RDONLY)
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise ResultsError(f"{path}: another dingfeng is writing here") from error
    return descriptor
