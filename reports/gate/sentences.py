"""A check in words: its subject, its place and its reason, in the reader's language."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Any

from chaos.titles import Titles
from chaos.words import Words as AnyWords
from chaos.words import yuan
from reports.gate.check import Check

TEXTS = Path(__file__).with_name("texts.yaml")

_ROUNDING = {"high": ROUND_CEILING, "low": ROUND_FLOOR}
"""Bounds are rounded outwards, so that what is said stays true."""

_SHARES = ("high", "low", "below", "confidence", "rate", "share", "limit", "effect", "least")


class Sentences:
    """Speaks of checks in one language."""

    def __init__(self, lang: str) -> None:
        self.words = AnyWords(lang, TEXTS)
        self.titles = Titles(lang)

    def subject(self, check: Check) -> str:
        """What was judged."""
        if check.kind in ("holds", "rate") or check.name.startswith(("I-", "K-")):
            title = (
                self.titles.rule(check.name)
                if check.name.startswith("K-")
                else self.titles.invariant(check.name)
            )
            return f"{check.name} {title}".strip()
        if check.kind == "situations":
            return self.titles.situation(check.name) if check.words.endswith("met") else check.name
        if check.kind in ("limits", "baseline"):
            measure, _, part = check.name.partition(" ")
            return f"{self.words.named('measure', measure)} {part}".strip()
        return check.name

    def reason(self, check: Check) -> str:
        """How it stands and why."""
        data = {name: self._shown(name, value) for name, value in check.data.items()}
        return self.words(f"reason.{check.words}", **data)

    def _shown(self, name: str, value: Any) -> Any:
        if name in _SHARES:
            return percent(value, _ROUNDING.get(name, ROUND_HALF_EVEN))
        if name.endswith("_fen"):
            return yuan(value)
        if name.endswith("_us") and value is not None:
            return self.words.span(value)
        if name == "p":
            return f"{value:.2g}"
        return self.words.listed(value) if name == "names" else value


def percent(share: float, rounding: str = ROUND_HALF_EVEN) -> str:
    """Three digits at most: 0.00996915 → 0.997%, 0.95 → 95%. More than a hundredfold has no number."""
    if share > 100:
        return ">10000%"
    value = Context(prec=3, rounding=rounding).create_decimal_from_float(share) * Decimal(100)
    return f"{value.normalize():f}%"


def place(check: Check) -> str:
    """Where: scenario × design."""
    return " × ".join(part for part in (check.scenario, check.design) if part)
