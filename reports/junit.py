"""JUnit XML: a case for each scenario on each design, and for each invariant on each design.

What a scenario expects to break is a pass, told in the case's output; the failures carry the story
and the line that replays it.
"""

from __future__ import annotations

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from chaos.titles import Titles
from chaos.words import Words
from reports import TEXTS, strength, tables
from reports.campaign import Campaign, Pair
from reports.findings import Finding, findings
from reports.sentences import opening


def render(campaign: Campaign, lang: str) -> str:
    words, titles = Words(lang, TEXTS), Titles(lang)
    found = findings(campaign, lang)
    document = JUnitXml("dingfeng")
    document.add_testsuite(_scenarios(campaign, found, words, titles))
    document.add_testsuite(_invariants(campaign, found, words, titles))
    document.update_statistics()  # type: ignore[no-untyped-call]
    text = document.tostring()  # type: ignore[no-untyped-call]
    return (text.decode("utf-8") if isinstance(text, bytes) else str(text)) + "\n"


def _scenarios(campaign: Campaign, found: list[Finding], words: Words, titles: Titles) -> TestSuite:
    suite = TestSuite("scenarios")
    suite.add_property("verdict", opening(campaign, words))
    for (scenario, design), pair in campaign.pairs.items():
        case = TestCase(name=design, classname=f"scenarios.{scenario}")
        case.time = round(pair.wall_s, 3)
        told = _clean("\n".join(_reasons(pair, words, titles)))
        match pair.outcome:
            case "violated" | "unseen":
                case.result = [_failure(told, _stories(found, scenario, design), _replays(pair), words)]
            case "broken":
                trace = "\n".join(pair.broken.values())
                case.result = [_error(told, trace, _replays(pair))]
            case "inconclusive" | "none":
                case.result = [Skipped(told)]
            case _:
                case.system_out = told
        suite.add_testcase(case)
    return suite


def _invariants(campaign: Campaign, found: list[Finding], words: Words, titles: Titles) -> TestSuite:
    suite = TestSuite("invariants")
    colon = words("figure.colon")
    seen = {name for pair in campaign.pairs.values() for name in pair.violated}
    for name in sorted({*titles.invariants, *seen}):
        for design in campaign.designs:
            pairs = [pair for pair in campaign.of(design) if pair.runs]
            if not pairs:
                continue
            case = TestCase(name=f"{name} {titles.invariant(name)}".strip(), classname=f"invariants.{design}")
            broken = [pair for pair in pairs if pair.violated[name] and pair.outcome == "violated"]
            told = "\n".join(
                pair.scenario + colon + words("cell.runs", bad=pair.violated[name], n=pair.runs)
                for pair in pairs
                if pair.violated[name]
            )
            if broken:
                stories = [
                    f
                    for pair in broken
                    for f in _stories(found, pair.scenario, design)
                    if name in f.invariants
                ]
                lines = [pair.replay(pair.first_seed[name]) for pair in broken]
                case.result = [_failure(told, stories, lines, words)]
            elif told:
                case.system_out = f"{words('cell.expected')}{colon}\n{told}"
            suite.add_testcase(case)
    return suite


def _reasons(pair: Pair, words: Words, titles: Titles) -> list[str]:
    """Why it stands as it does, in the reader's words; never nothing."""
    colon = words("figure.colon")
    reasons = tables.doubts(pair, words, titles) + [
        name + colon + words("cell.runs", bad=count, n=pair.runs)
        for name, count in sorted(pair.violated.items())
        if count
    ]
    if pair.outcome == "holds":
        reasons.append(strength.sentence([pair], words))
    return reasons or [words(f"cell.{pair.outcome}")]


def _stories(found: list[Finding], scenario: str, design: str) -> list[Finding]:
    return [f for f in found if (f.failure.scenario, f.failure.design) == (scenario, design)]


def _replays(pair: Pair) -> list[str]:
    seeds = dict.fromkeys(
        [*list(pair.broken)[:1], *(pair.first_seed[name] for name in sorted(pair.violated))]
    )
    return [pair.replay(seed) for seed in seeds]


def _failure(told: str, stories: list[Finding], replays: list[str], words: Words) -> Failure:
    failure = Failure(told.splitlines()[0] if told else "")
    colon = words("figure.colon")
    sentences = dict.fromkeys(f"{' '.join(f.invariants)}{colon}{f.sentence}" for f in stories[:3])
    failure.text = _clean("\n".join([told, *sentences, *replays]))
    return failure


def _error(told: str, trace: str, replays: list[str]) -> Error:
    error = Error(told.splitlines()[0] if told else "")
    error.text = _clean("\n".join([told, trace, *replays]))
    return error


def _clean(text: str) -> str:
    """XML 1.0 cannot hold control characters; a crash may well print some."""
    return "".join(letter for letter in text if letter in "\n\t" or letter >= " ")
