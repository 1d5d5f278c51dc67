"""What a shrunk case leaves behind: a directory that replays, a test, and its story in words.

plan.json, history.jsonl, verdict.json   as of any kept run: `dingfeng replay DIR`
test_….py      the case as a test that stands alone
story.md       the storm, the story, where the nearest passing run parts, how to run it again
shrink.json    the same as data: sizes before and after, runs, token
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from chaos.replay import Case
from chaos.results import claim
from chaos.shrink.difference import Difference, compare
from chaos.shrink.generated import file_name, pytest_file
from chaos.shrink.nearest import STRONGEST, Nearest, nearest_passing, on_strongest
from chaos.shrink.sheet import Sheet, markdown
from chaos.shrink.shrinker import Shrunk
from chaos.shrink.spoken import TEXTS, Said
from chaos.shrink.tokens import encode
from chaos.story import Story, tell
from chaos.titles import Titles
from chaos.words import Words, clock
from chaos.worker import artefacts, line


@dataclass(frozen=True)
class Told:
    """A shrunk case with everything that is said of it.

    `strongest` names what the strongest design violates, None if the case is its own; `runs` counts the
    runs after shrinking too.
    """

    shrunk: Shrunk
    runs: int
    token: str
    story: Story
    storm: tuple[str, ...]
    strongest: tuple[str, ...] | None
    nearest: Nearest | None
    difference: Difference | None


def explain(shrunk: Shrunk, lang: str) -> Told:
    """Find the nearest passing run and the words; up to three more runs."""
    after = shrunk.after
    strongest = on_strongest(after)
    nearest = nearest_passing(after, strongest)
    verdict = shrunk.signature.verdict(after.result.verdicts)
    if verdict is None:
        raise ValueError("a shrunk case shows its failure")
    history = after.result.history
    return Told(
        shrunk,
        shrunk.runs + min(after.faults, 2) + (strongest is not None),
        encode(after.case),
        tell(history, verdict, lang),
        storm(after.case, lang),
        None if strongest is None else tuple(strongest.violated),
        nearest,
        None if nearest is None else compare(history, nearest.result.history, lang),
    )


def storm(case: Case, lang: str) -> tuple[str, ...]:
    """Each blow in words, with the message, charge, attempt or order that it strikes."""
    told = []
    for site in case.plan or {}:
        index, fault, rest = site.split("/", 2)
        rule = case.scenario.faults[int(index)]
        struck = rest.removeprefix(rule.where()).partition("/")[2] if not rule.window else ""
        told.append(f"{rule.describe(lang)} ({fault}{': ' if struck else ''}{struck})")
    return tuple(told)


def write(told: Told, out: Path, lang: str) -> None:
    """Fill a new directory. Raises ResultsError."""
    claim(out)
    shrunk, case, result = told.shrunk, told.shrunk.after.case, told.shrunk.after.result
    files = artefacts(case.scenario, line(case.scenario, case.design, case.seed, result), result)
    english = told.story if lang == "en" else tell(result.history, _verdict(shrunk), "en")
    rule = f"{shrunk.signature.invariant}: {Titles('en').invariant(shrunk.signature.invariant)}"
    files[file_name(shrunk)] = pytest_file(shrunk, english.title, rule, storm(case, "en")).encode()
    files["story.md"] = markdown(sheet(told, out, lang)).encode()
    files["shrink.json"] = msgspec.json.format(msgspec.json.encode(summary(told, out)), indent=1)
    for name, content in files.items():
        (out / name).write_bytes(content)


def _verdict(shrunk: Shrunk) -> Any:
    return shrunk.signature.verdict(shrunk.after.result.verdicts)


def summary(told: Told, out: Path) -> dict[str, Any]:
    """What shrinking came to, as data."""
    shrunk = told.shrunk
    case = shrunk.after.case
    return {
        "scenario": case.scenario.name,
        "design": case.design,
        "seed": case.seed,
        "invariant": shrunk.signature.invariant,
        "entity": shrunk.signature.entity,
        "before": {"faults": shrunk.before.faults, "orders": shrunk.before.orders},
        "after": {"faults": shrunk.after.faults, "orders": shrunk.after.orders},
        "runs": told.runs,
        "broken": shrunk.broken,
        "fixpoint": shrunk.fixpoint,
        "interrupted": shrunk.interrupted,
        "strongest": None if told.strongest is None else {"design": STRONGEST, "violated": told.strongest},
        "nearest": None
        if told.nearest is None
        else {"design": told.nearest.case.design, "without": told.nearest.site},
        "directory": str(out),
        "token": told.token,
        "test": str(out / file_name(shrunk)),
    }


def headlines(told: Told, lang: str) -> list[str]:
    """How far it came, and what the strongest design makes of it."""
    words = Words(lang, TEXTS)
    shrunk = told.shrunk
    size = {"faults": shrunk.after.faults, "orders": shrunk.after.orders, "runs": told.runs}
    end = "interrupted" if shrunk.interrupted else "fixpoint" if shrunk.fixpoint else "unfinished"
    before = words("told.from", faults=shrunk.before.faults, orders=shrunk.before.orders)
    lines = [f"{shrunk.signature}: {words('told.came_to', **size)} ({before})", words(f"told.{end}")]
    if shrunk.broken:
        lines.append(words("told.broken", broken=shrunk.broken))
    if told.strongest is not None:
        key = "strongest_not" if told.strongest else "strongest"
        lines.append(words(f"told.{key}", design=STRONGEST, violated=words.listed(list(told.strongest))))
    return lines


def parting(told: Told, lang: str) -> str:
    """The headline of the difference."""
    words = Words(lang, TEXTS)
    if told.nearest is None:
        return words("told.no_passing")
    if told.difference is None:
        return words("told.no_difference")
    site = told.nearest.site
    if site:
        other = words("told.without", fault=words.fault(site.split("/")[1]))
    else:
        other = words("told.same_on", design=told.nearest.case.design)
    return words("told.difference", other=other, same=told.difference.same)


def sheet(told: Told, out: Path, lang: str) -> Sheet:
    """All that is told, in one language."""
    words = Words(lang, TEXTS)
    story, difference = told.story, told.difference
    shared = difference.shared if difference is not None else ()
    rows = difference.rows if difference is not None else ()
    more = ((f"… +{difference.left_out}",) * 2,) if difference is not None and difference.left_out else ()
    pasted = (f"dingfeng replay {told.token}",) if told.token else ()
    return Sheet(
        title=story.title,
        size=tuple(headlines(told, lang)),
        storm_head=words("told.storm"),
        storm=told.storm or (words("told.no_storm"),),
        story_head=words("told.story"),
        sentences=story.sentences,
        steps=tuple((clock(one.t_us), words.named("lane", one.lane), one.text) for one in story.timeline),
        parting=parting(told, lang),
        heads=(words("told.failing"), words("told.passing")),
        shared=tuple((_cell(one, words), _cell(one, words)) for one in shared),
        rows=(*((_cell(left, words), _cell(right, words)) for left, right in rows), *more),
        replay_head=words("told.replay"),
        replay=(f"dingfeng replay {out}", *pasted),
        test_head=words("told.test"),
        test=f"pytest {out / file_name(told.shrunk)}",
    )


def _cell(said: Said | None, words: Words) -> str:
    return "" if said is None else f"{clock(said.t_us)} {words.named('lane', said.lane)}: {said.text}"
