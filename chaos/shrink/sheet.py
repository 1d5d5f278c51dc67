"""What is told of a shrunk case, in the words of one language: the same for a terminal and for story.md."""

from __future__ import annotations

from dataclasses import dataclass

Pair = tuple[str, str]


@dataclass(frozen=True)
class Sheet:
    """Texts, ready to be laid out.

    `steps` are the timeline (time, who, what). `parting` says which passing run this one is compared with and
    where they part; under the two `heads`, `shared` are the last steps in common and `rows` what follows.
    """

    title: str
    size: tuple[str, ...]
    storm_head: str
    storm: tuple[str, ...]
    story_head: str
    sentences: tuple[str, ...]
    steps: tuple[tuple[str, str, str], ...]
    parting: str
    heads: Pair
    shared: tuple[Pair, ...]
    rows: tuple[Pair, ...]
    replay_head: str
    replay: tuple[str, ...]
    test_head: str
    test: str


def markdown(sheet: Sheet) -> str:
    """As story.md."""
    parts = [
        f"# {sheet.title}",
        *sheet.size,
        f"## {sheet.storm_head}",
        "\n".join(f"- {fault}" for fault in sheet.storm),
        f"## {sheet.story_head}",
        *sheet.sentences,
        "\n".join(f"- `{at}` {who}: {what}" for at, who, what in sheet.steps),
        f"## {sheet.parting}",
        _table(sheet) if sheet.rows else "",
        f"## {sheet.replay_head}",
        _code(sheet.replay),
        f"## {sheet.test_head}",
        _code((sheet.test,)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _code(lines: tuple[str, ...]) -> str:
    return "\n".join(["```", *lines, "```"])


def _table(sheet: Sheet) -> str:
    lines = [sheet.heads, ("---", "---"), *sheet.shared, *sheet.rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
