"""YAML → Scenario. Every error is one message: file, line, field, what is wrong, the nearest valid name."""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import cache
from pathlib import Path

from scenarios.checking import problems
from scenarios.documents import Document, meant, read, shown
from scenarios.documents import DocumentError as ScenarioError
from scenarios.model import Scenario
from scenarios.speeds import Speeds

__all__ = [
    "JOURNEYS",
    "LIBRARY",
    "ScenarioError",
    "calibration",
    "find",
    "journeys",
    "library",
    "load",
    "meant",
    "parse",
    "reference",
]

LIBRARY = Path(__file__).parent / "library"
JOURNEYS = Path(__file__).parent / "journeys"


@cache
def library() -> tuple[str, ...]:
    """The names of the shipped scenarios."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.yaml")))


@cache
def journeys() -> tuple[str, ...]:
    """The names of the shipped journeys: the smallest workloads, for sweeps."""
    return tuple(sorted(path.stem for path in JOURNEYS.glob("*.yaml")))


def find(name: str) -> Path:
    """The file of a shipped scenario's or journey's name, or of a path (which has a `/` or ends in .yaml).

    A calibration that is named with it does not matter here.
    """
    name = name.partition("@")[0]
    if "/" in name or name.endswith((".yaml", ".yml")):
        return Path(name)
    if name in journeys():
        return JOURNEYS / f"{name}.yaml"
    if name not in library():
        here = f"; to mean what is here, write ./{name}" if Path(name).exists() else ""
        close = meant(name, (*library(), *journeys()))
        raise ScenarioError(f"no scenario {name!r}{close}{here}; `dingfeng list scenarios` shows all")
    return LIBRARY / f"{name}.yaml"


def reference(name: str | Path) -> str:
    """What names this scenario again on a command line: a shipped one by its name, any other by its path from here."""
    storm, at, speeds = str(name).partition("@")
    if at:
        return f"{reference(storm)}@{speeds}"
    path = find(storm)
    if path.parent in (LIBRARY, JOURNEYS):
        return path.stem
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near if os.sep in near else f"./{near}"


def load(
    name: str | Path, *, designs: Collection[str] | None = None, situations: Collection[str] | None = None
) -> Scenario:
    """Read and check a scenario by library name or path, or such a name with a calibration, `callback_late@mine.yaml`.

    Raises ScenarioError.
    """
    storm, at, speeds = str(name).partition("@")
    if at:
        found = load(storm, designs=designs, situations=situations)
        return found.model_copy(update={"speeds": calibration(Path(speeds))})
    path = find(storm)
    text = read(path, "scenario", library())
    return parse(text, shown(path), designs=designs, situations=situations, stem=_stem(path))


def calibration(path: Path) -> Speeds:
    """Read a calibration: the speeds of real parts. Raises ScenarioError."""
    return Document(read(path, "calibration"), shown(path), "calibration").into(Speeds)


def _stem(path: Path) -> str:
    """`callback_late` of callback_late.yaml, and of callback_late.storm.yaml, which pytest finds anywhere."""
    return path.stem.removesuffix(".storm")


def parse(
    text: str,
    source: str,
    *,
    designs: Collection[str] | None = None,
    situations: Collection[str] | None = None,
    stem: str | None = None,
) -> Scenario:
    """Check the text of a scenario; `source` names it in errors. Raises ScenarioError."""
    document = Document(text, source, "scenario")
    scenario = document.into(Scenario)
    found = list(problems(scenario, designs, situations))
    if stem is not None and scenario.name != stem:
        raise document.error(("name",), f"{scenario.name!r} is not the file's name {stem!r}")
    if found:
        first = found[0]
        message = first.message + (meant(first.wrong, first.valid) if first.wrong else "")
        raise document.error(first.place, message, count=len(found))
    return scenario
