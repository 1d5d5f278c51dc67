"""Names that belong to other parts: invariants, rules and situations, from those parts' own text files."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from chaos.checkers.verdict import Witness
from reports.words import clock

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
        """What a witness says: its template filled in, fen as yuan and µs as minutes and seconds."""
        entry = self._checkers.get(invariant, {}).get("witnesses", {}).get(witness.words)
        if entry is None:
            return f"{witness.words} ({witness.id})"
        data = {"id": witness.id, "amount_fen": witness.amount_fen, **witness.data}
        return str(entry[self._lang]).format_map(
            {key: self._shown(key, value) for key, value in data.items()}
        )

    def _shown(self, key: str, value: Any) -> Any:
        if key.endswith("_fen"):
            return (
                f"{value // 100}.{value % 100:02d}" if value >= 0 else f"-{-value // 100}.{-value % 100:02d}"
            )
        if key.endswith("_us"):
            return clock(value)
        reasons = _load("oracle/texts.yaml").get("reasons", {})
        return reasons[value][self._lang] if key == "reason" and value in reasons else value

    def _title(self, entry: Any) -> str:
        return str(entry["title"][self._lang]) if entry else ""


@cache
def _load(name: str) -> dict[str, Any]:
    path = _CHAOS / name
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8")) if path.is_file() else {}
