"""A hunt in a terminal: each storm that showed something new, told in words, with the line that replays it."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from chaos.finds import Find, Hunted
from chaos.story import tell, worst
from chaos.words import Words
from reports import TEXTS


def show_hunt(hunted: Hunted, path: str, lang: str, out: Console) -> None:
    """The stories, then how much was looked at and where to go on."""
    words = Words(lang, TEXTS)
    for find in hunted.finds:
        _show(find, words, out)
    campaign = hunted.campaign
    for cell in campaign.cells:
        if cell.outcome == "broken":
            for line in (*cell.reasons, *(f"dingfeng replay {token}" for token in cell.replay)):
                out.print(line, soft_wrap=True, markup=False)
    key = "hunt.clean" if not hunted.finds else "hunt.found"
    out.print(
        words(
            key,
            kinds=sum(len(find.kinds) for find in hunted.finds),
            storms=len(hunted.finds),
            runs=f"{hunted.runs:,}",
            behaviours=f"{campaign.behaviours:,}",
            wall=f"{campaign.wall_s:.1f}",
            design=", ".join(campaign.designs),
        ),
        markup=False,
    )
    out.print(words("hunt.next", path=path, seed=hunted.next_seed), soft_wrap=True, markup=False)


def as_data(hunted: Hunted, path: str) -> dict[str, Any]:
    """The same for machines."""
    return {
        "results": path,
        "exit_code": hunted.campaign.exit_code,
        "interrupted": hunted.campaign.interrupted,
        "runs": hunted.runs,
        "behaviours": hunted.campaign.behaviours,
        "wall_s": hunted.campaign.wall_s,
        "next_seed": hunted.next_seed,
        "finds": [
            {
                "seed": find.seed,
                "replay": find.replay,
                "kinds": [
                    {"invariant": kind.invariant, "words": kind.words, "entity": kind.entity}
                    for kind in find.kinds
                ],
            }
            for find in hunted.finds
        ],
    }


def _show(find: Find, words: Words, out: Console) -> None:
    invariants = dict.fromkeys(kind.invariant for kind in find.kinds)
    news = [verdict for verdict in find.verdicts if verdict.invariant in invariants]
    story = tell(find.history, worst(news), words.lang)
    out.print(story.title, style="bold", markup=False)
    for sentence in story.sentences:
        out.print(sentence, markup=False)
    out.print(words("hunt.new", invariants=" ".join(invariants)), markup=False)
    out.print(f"  dingfeng replay {find.replay}", soft_wrap=True, markup=False)
    out.print()
