"""Every name that a user can give or read, with its title: for lists, suggestions and checks of input."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from reference_platform import designs as catalogue
from scenarios import loading
from scenarios.faults import FAULTS

_HERE = Path(__file__).parent


class Entry(NamedTuple):
    """A name and what it means."""

    name: str
    title: str


def scenarios(lang: str) -> list[Entry]:
    """The shipped scenarios."""
    return [Entry(name, loading.load(name).title.to(lang)) for name in loading.library()]


def journeys(lang: str) -> list[Entry]:
    """The shipped journeys: the smallest workloads, for sweeps."""
    return [Entry(name, loading.load(name).title.to(lang)) for name in loading.journeys()]


def faults(lang: str) -> list[Entry]:
    """The fault vocabulary: in English what it does, in Chinese its sentence."""
    return [
        Entry(name, (kind.__doc__ or "").strip() if lang == "en" else kind.says["zh"])
        for name, kind in FAULTS.items()
    ]


def invariants(lang: str) -> list[Entry]:
    """The invariants that have a checker."""
    return _titled(_HERE / "checkers" / "texts.yaml", lang, "I-")


def rules(lang: str) -> list[Entry]:
    """The compensation rules that the oracle judges."""
    return _titled(_HERE / "oracle" / "texts.yaml", lang, "K-")


def situations(lang: str) -> list[Entry]:
    """What a scenario can name under `sometimes`."""
    return _titled(_HERE / "situations.yaml", lang, "")


def designs(lang: str) -> list[Entry]:
    """The designs that can be put through a storm: the ladder from the weakest up, then those with a planted bug."""
    loaded = [catalogue.load(name) for name in design_names()]
    return [Entry(design.name, design.summary if lang == "en" else design.summary_zh) for design in loaded]


def design_names() -> tuple[str, ...]:
    """As `designs`, without loading any."""
    return (*catalogue.names(), *catalogue.planted_names())


def ladder() -> tuple[str, ...]:
    """The designs to compare, from the weakest up, without loading any."""
    return catalogue.names()


def _titled(path: Path, lang: str, prefix: str) -> list[Entry]:
    texts: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    return [Entry(name, str(text["title"][lang])) for name, text in texts.items() if name.startswith(prefix)]
