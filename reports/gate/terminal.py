"""The decision in a terminal: one sentence, one small table, what stops it with its replay line, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos.words import Words
from reports.gate.check import OUTCOMES
from reports.gate.sentences import TEXTS
from reports.gate.summary import TOP

_STYLES = {
    "broken": "bold red",
    "violated": "red",
    "inconclusive": "yellow",
    "tolerated": "magenta",
    "holds": "green",
}


def show(told: dict[str, Any], files: Sequence[Path], lang: str, out: Console) -> None:
    """Everything a developer needs in a minute; the rest is in the files."""
    words = Words(lang, TEXTS)
    out.print(f"[{_STYLES[told['outcome']]}]{told['sentence']}[/]")
    out.print(told["extent"], markup=False, soft_wrap=True)
    if told["counts"]:
        out.print()
        out.print(_table(told, words))
    for one in told["violations"][:TOP]:
        out.print(
            f"\n[{_STYLES[one['outcome']]}]{words('stands.' + one['outcome'])}[/] {one['where']}".rstrip()
        )
        out.print("  " + words("gate.told", what=one["what"], reason=one["reason"]), markup=False)
        if one["also"]:
            out.print("  " + words("gate.also", names=" ".join(one["also"])), markup=False)
        if one["story"]:
            out.print(f"  {one['story']}", markup=False)
        for replay in one["replay"][:2]:
            out.print(f"  {replay}", soft_wrap=True, markup=False)
    _rest(len(told["violations"]), words, out)
    for name, style in (("doubts", "inconclusive"), ("tolerated", "tolerated")):
        if told[name]:
            out.print(f"\n[{_STYLES[style]}]{words(f'gate.{name}')}[/]")
        for one in told[name][:TOP]:
            scenarios = one["scenarios"]
            places = scenarios[0] if len(scenarios) == 1 else words("gate.scenarios", n=len(scenarios))
            where = " × ".join(part for part in (places if scenarios else "", one["design"]) if part)
            told_of = words("gate.told", what=one["what"], reason=one["reason"])
            out.print(
                "  " + (words("gate.told", what=where, reason=told_of) if where else told_of), markup=False
            )
        _rest(len(told[name]), words, out)
    out.print("\n" + words("gate.files", files=words.listed([str(file) for file in files])), soft_wrap=True)


def _table(told: dict[str, Any], words: Words) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(words("gate.demand"))
    shown = [outcome for outcome in OUTCOMES if any(outcome in row for row in told["counts"].values())]
    for outcome in shown:
        table.add_column(words(f"stands.{outcome}"), justify="right", style=_STYLES[outcome])
    for kind, row in told["counts"].items():
        table.add_row(words(f"kind.{kind}"), *(str(row.get(outcome, "")) for outcome in shown))
    return table


def _rest(count: int, words: Words, out: Console) -> None:
    if count > TOP:
        out.print("  " + words("gate.more", n=count - TOP, file="gate.json"), markup=False)
