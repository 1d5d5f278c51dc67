"""What a hunt found, read from its results directory: one storm for each kind of violation."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from chaos.checkers.verdict import Kind, Verdict, kinds
from chaos.history import History
from chaos.results import Campaign, Results
from chaos.tally import replay_token


@dataclass(frozen=True)
class Find:
    """A failing storm that showed something new. `kinds` are those that no earlier one had shown."""

    scenario: str
    design: str
    seed: int
    kinds: tuple[Kind, ...]
    verdicts: tuple[Verdict, ...]
    history: History

    @property
    def replay(self) -> str:
        """The token that runs it again."""
        return replay_token(self.scenario, self.design, self.seed, swarm=True)


@dataclass(frozen=True)
class Hunted:
    """What a hunt came to. `next_seed` is where another one goes on."""

    campaign: Campaign
    finds: tuple[Find, ...]
    runs: int
    next_seed: int


def finds(results: Results) -> tuple[Find, ...]:
    """The kept failures of a hunt, smallest seed first, as far as each shows a kind that none before it showed."""
    kept = [(results.verdict("failures", name), name) for name in results.kept("failures")]
    known: set[Kind] = set()
    found = []
    for told, name in sorted(kept, key=lambda one: int(one[0]["run"]["seed"])):
        verdicts = tuple(msgspec.convert(told["verdicts"], list[Verdict]))
        news = [kind for kind in kinds(verdicts) if kind not in known]
        if news:
            known.update(news)
            run = told["run"]
            history = results.history("failures", name)
            found.append(Find(run["scenario"], run["design"], run["seed"], tuple(news), verdicts, history))
    return tuple(found)
