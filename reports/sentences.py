"""The verdict of a campaign in one sentence."""

from __future__ import annotations

from chaos.words import Words
from reports.campaign import Campaign, Pair


def opening(campaign: Campaign, words: Words) -> str:
    """The first thing a reader sees; true whatever the campaign came to."""
    pairs = [pair for pair in campaign.pairs.values() if pair.runs]
    outcome = campaign.outcome()
    if outcome == "empty":
        return words("sentence.empty")
    if outcome == "holds":
        scenarios = words.count("sentence.scenarios", len({pair.scenario for pair in pairs}))
        return words(
            "sentence.held",
            runs=words.count("sentence.runs", sum(p.runs for p in pairs)),
            scenarios=scenarios,
        )
    if outcome == "expected":
        return _as_expected(pairs, words)
    concerned = [pair for pair in pairs if pair.outcome == outcome]
    if outcome == "violated":
        designs = words("figure.comma").join(dict.fromkeys(pair.design for pair in concerned))
        runs = sum(pair.runs for pair in pairs if pair.design in {p.design for p in concerned})
        return words(
            "sentence.violated", designs=designs, broken=f"{sum(p.bad for p in concerned):,}", runs=words.count("sentence.runs", runs),
            pairs=len(concerned), all=len(pairs),
        )  # fmt: skip
    return words(f"sentence.{outcome}", pairs=len(concerned), all=len(pairs))


def _as_expected(pairs: list[Pair], words: Words) -> str:
    join = words("figure.comma").join
    weak = list(dict.fromkeys(pair.design for pair in pairs if pair.outcome == "expected"))
    good = list(dict.fromkeys(pair.design for pair in pairs if pair.design not in weak))
    broken = {name for pair in pairs if pair.outcome == "expected" for name in pair.violated}
    count = words.count("sentence.invariants", len(broken))
    if not good:
        return words("sentence.only_expected", bad=join(weak), broken=count)
    runs = sum(pair.runs for pair in pairs if pair.design in good)
    return words(
        "sentence.held_expected",
        good=join(good),
        runs=words.count("sentence.runs", runs),
        bad=join(weak),
        broken=count,
    )


def extent(campaign: Campaign, words: Words) -> str:
    """How much was run, under the opening sentence."""
    scenarios = words.count("sentence.scenarios", len({scenario for scenario, _ in campaign.pairs}))
    told = words(
        "sentence.extent", scenarios=scenarios, designs=len(campaign.designs), runs=words.count("sentence.runs", campaign.runs),
        orders=f"{campaign.orders:,}",
    )  # fmt: skip
    behaviours = campaign.behaviours()
    told = told[:1].upper() + told[1:]  # a count in words begins the sentence
    return told + (words.count("sentence.behaved", behaviours) if behaviours else "")


def partial(campaign: Campaign, words: Words) -> str:
    """A campaign that was interrupted, or never came to its end, says so; else nothing."""
    if campaign.meta.interrupted:
        return words("sentence.interrupted")
    return "" if campaign.meta.finished else words("sentence.unfinished")
