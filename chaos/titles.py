"""What invariants, rules and situations are called, and what a witness says, in one language.

The words are data of the parts they belong to: `checkers/texts.yaml`, `oracle/texts.yaml`, `situations.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaos.checkers.verdict import Verdict, Witness
from chaos.words import Words, fill, load, moment, yuan

_HERE = Path(__file__).parent
_GROUPS = {
    "status": "status",
    "before": "status",
    "after": "status",
    "answer": "answer",
    "posting": "posting",
}
"""Data of a witness that names something with a word of its own."""

_LISTS = ("charges", "attempts")


class Titles:
    """An id that this version does not know keeps its id."""

    def __init__(self, lang: str) -> None:
        self._words = Words(lang)
        self._lang = lang
        self._checkers = load(_HERE / "checkers" / "texts.yaml")
        self._rules = load(_HERE / "oracle" / "texts.yaml")
        self.invariants = sorted(name for name in self._checkers if name.startswith("I-"))

    def invariant(self, name: str) -> str:
        """What the invariant claims, as a title."""
        return self._text(self._checkers.get(name), "title")

    def saved_by(self, invariant: str, witness: Witness) -> str:
        """What would have kept the invariant, in this case if it has a remedy of its own."""
        own = self._text(self._entry(invariant, witness), "saved_by")
        return own or self._text(self._checkers.get(invariant), "saved_by")

    def rule(self, name: str) -> str:
        """A compensation rule, as a title."""
        return self._text(self._rules.get(name), "title")

    def situation(self, name: str) -> str:
        """What a scenario names under `sometimes`."""
        return self._text(load(_HERE / "situations.yaml").get(name), "title") or name.replace("_", " ")

    def loser(self, invariant: str, witness: Witness) -> str:
        """Who is out of money for good: `member`, `shop`, `owed` (a member's due); else nothing."""
        entry = self._entry(invariant, witness)
        return str(entry.get("loses", "")) if entry is not None and witness.amount_fen else ""

    def witness(self, invariant: str, witness: Witness) -> str:
        """What a witness says. A history of another version may lack some data: a dash stands for it."""
        entry = self._entry(invariant, witness)
        if entry is None:
            return f"{invariant} {witness.words} ({witness.id})"
        return fill(str(entry[self._lang]), self.data(witness), lenient=True)

    def data(self, witness: Witness) -> dict[str, Any]:
        """A witness's data for people: `_fen` as money, `_us` as times, names as words."""
        data = {"id": witness.id, "amount_fen": witness.amount_fen, **witness.data}
        return {key: self._shown(key, value) for key, value in data.items()}

    def _entry(self, invariant: str, witness: Witness) -> Mapping[str, Any] | None:
        """The sentence for this witness; some rules have one of their own, such as `missed_K-16`."""
        sentences = self._checkers.get(invariant, {}).get("witnesses", {})
        special = f"{witness.words}_{witness.data.get('rule', '')}"
        entry: Mapping[str, Any] | None = sentences.get(special, sentences.get(witness.words))
        return entry

    def _shown(self, key: str, value: Any) -> Any:
        if key.endswith("_fen"):
            return yuan(value)
        if key == "left_us":
            return self._words.span(value)
        if key.endswith("_us"):
            return moment(value)
        if key == "reason":
            reason = self._rules["reasons"].get(value)
            return reason[self._lang] if reason is not None else value
        if key == "rule":
            title = self.rule(value)
            return f"{value}“{title}”" if self._lang == "zh" else f"{value} “{title}”" if title else value
        if key in _LISTS:
            return self._words.listed(str(value).split(", "))
        return self._words.named(_GROUPS[key], value) if key in _GROUPS else value

    def _text(self, entry: Any, what: str) -> str:
        text = entry.get(what) if entry else None
        return str(text[self._lang]) if text else ""


def gravest(verdict: Verdict, titles: Titles) -> Witness | None:
    """The witness to tell: a loss before a risk, then the dearest, the one with most members, the first."""
    return max(verdict.witnesses, key=lambda one: gravity(verdict.invariant, one, titles), default=None)


def gravity(invariant: str, witness: Witness, titles: Titles) -> tuple[bool, int, int, int]:
    """What `gravest` goes by; the larger, the worse. Witnesses of several invariants compare as well."""
    lost = bool(titles.loser(invariant, witness))
    return lost, witness.amount_fen, len(witness.users), -witness.t_us
