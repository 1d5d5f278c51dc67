"""Names that belong to other parts: invariants, rules and situations, from those parts' own text files."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from chaos.checkers.verdict import Witness

_CHAOS = Path(__file__).parent.parent / "chaos"


class Titles:
    """Titles in one language; an id that this version does not know keeps its id."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._checkers = _load("checkers/texts.yaml")
        self.invariants = sorted(name for name in self._checkers if name.startswith("I-"))

    def invariant(self, name: str) -> str:
        return self._title(self._checkers.get(name))

    def rule(self, name: str) -> str:
        return self._title(_load("oracle/texts.yaml").get(name))

    def situation(self, name: str) -> str:
        return self._title(_load("situations.yaml").get(name)) or name.replace("_", " ")

    def witness(self, invariant: str, witness: Witness) -> str:
        """What a witness says, in words."""
        texts = self._checkers.get(invariant, {}).get("witnesses", {})
        entry = texts.get(witness.words)
        return str(entry[self._lang]) if entry else witness.words

    def _title(self, entry: Any) -> str:
        return str(entry["title"][self._lang]) if entry else ""


@cache
def _load(name: str) -> dict[str, Any]:
    path = _CHAOS / name
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8")) if path.is_file() else {}
