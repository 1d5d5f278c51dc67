"""The decision as Markdown for a comment or a step summary, never longer than hosted CI takes."""

from __future__ import annotations

from typing import Any

from chaos.words import Words
from reports.gate.check import OUTCOMES
from reports.gate.sentences import TEXTS
from reports.gate.summary import TOP

COMMENT_LIMIT = 65_536
"""Characters of a comment on GitHub. A step summary takes 1 MiB, so what fits here fits there."""

_SYMBOLS = {"broken": "!", "violated": "✗", "inconclusive": "?", "tolerated": "~", "holds": "✓"}
_BREAK = "  \n  "
"""A new line within an item: without the two spaces at its end Markdown makes one paragraph of all."""

_LONGEST = 700
"""Characters of a single text; a traceback's last line or a user's reason may be any length."""


def render(told: dict[str, Any], lang: str) -> str:
    """At most COMMENT_LIMIT characters: whole lines are left out from the end, and that is said."""
    words = Words(lang, TEXTS)
    lines = [f"# {_SYMBOLS[told['outcome']]} {_inline(told['sentence'])}", "", _inline(told["extent"]), ""]
    lines += _counts(told, words)
    lines += _violations(told, words)
    for name in ("doubts", "tolerated"):
        lines += _groups(told[name], words(f"gate.{name}"), words)
    return _fit(lines, words("gate.more", n="…", file="gate.json"))


def _counts(told: dict[str, Any], words: Words) -> list[str]:
    shown = [outcome for outcome in OUTCOMES if any(outcome in row for row in told["counts"].values())]
    heads = [
        words("gate.demand"),
        *(f"{_SYMBOLS[outcome]} {words(f'stands.{outcome}')}" for outcome in shown),
    ]
    lines = [_row(heads), _row(["---", *("---:" for _ in shown)])]
    for kind, row in told["counts"].items():
        lines.append(_row([words(f"kind.{kind}"), *(str(row.get(outcome, "")) for outcome in shown)]))
    return [*lines, ""]


def _violations(told: dict[str, Any], words: Words) -> list[str]:
    found = told["violations"]
    if not found:
        return []
    lines = [f"## {words('gate.violations')}", ""]
    for one in found[:TOP]:
        also = _inline(words("gate.also", names=" ".join(one["also"])))
        more = words("gate.bracketed", text=also) if one["also"] else ""
        where = f"**{_inline(one['where'])}** " if one["where"] else ""
        below = [_inline(one["story"])] if one["story"] else []
        below += [f"`{_code(replay)}`" for replay in one["replay"][:2]]
        lines.append(_BREAK.join([f"- {where}{_told(one, words)}{more}", *below]))
    return [*lines, *_rest(len(found), words), ""]


def _groups(groups: list[dict[str, Any]], title: str, words: Words) -> list[str]:
    if not groups:
        return []
    lines = [f"## {title}", ""]
    for one in groups[:TOP]:
        scenarios = one["scenarios"]
        places = scenarios[0] if len(scenarios) == 1 else words("gate.scenarios", n=len(scenarios))
        where = " × ".join(part for part in (places if scenarios else "", one["design"]) if part)
        lines.append(f"- {f'**{_inline(where)}** ' if where else ''}{_told(one, words)}")
    return [*lines, *_rest(len(groups), words), ""]


def _told(one: dict[str, Any], words: Words) -> str:
    return words("gate.told", what=_inline(one["what"]), reason=_inline(one["reason"]))


def _rest(count: int, words: Words) -> list[str]:
    return [f"- {words('gate.more', n=count - TOP, file='gate.json')}"] if count > TOP else []


def _fit(lines: list[str], note: str) -> str:
    text = "\n".join(lines).rstrip("\n") + "\n"
    while len(text) > COMMENT_LIMIT:
        lines = lines[: -max(1, len(lines) // 20)]
        text = "\n".join([*lines, "", note]) + "\n"
    return text


def _inline(text: str) -> str:
    """One line of plain text that Markdown leaves as it is."""
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
    for mark in ("\\", "|", "<", "*", "_", "`", "["):
        line = line.replace(mark, f"\\{mark}")
    return line


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'")[:_LONGEST]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
