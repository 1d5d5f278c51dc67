"""What a user gave on the command line, turned into what `chaos` takes; or one clear message.

The words of the front door: exit codes, languages, kinds of names, the options that several commands share,
and the one way in which campaigns are told of.
"""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from chaos.replay import Case
    from chaos.results import Campaign
    from chaos.vocabulary import Entry
    from scenarios.model import Scenario

PLAIN = ":plain"
HOLDS, VIOLATED, BAD_INPUT, INCONCLUSIVE, BROKEN, INTERRUPTED = 0, 1, 2, 3, 4, 130


class Language(StrEnum):
    """Languages that people are spoken to in."""

    EN = "en"
    ZH = "zh"


class Kind(StrEnum):
    """What can be listed."""

    SCENARIOS = "scenarios"
    JOURNEYS = "journeys"
    DESIGNS = "designs"
    FAULTS = "faults"
    INVARIANTS = "invariants"
    RULES = "rules"
    SITUATIONS = "situations"


Engine = Annotated[str, typer.Option(help="Where runs are made: local, or dask://HOST:PORT.")]
Lang = Annotated[Language, typer.Option(help="Language of titles and stories.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Worker processes.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]


class BadInput(Exception):
    """What the user gave cannot be used; the message says why and what was probably meant."""


def entries(kind: Kind, lang: Language) -> list[Entry]:
    from chaos import vocabulary

    lists = {
        Kind.SCENARIOS: vocabulary.scenarios,
        Kind.JOURNEYS: vocabulary.journeys,
        Kind.DESIGNS: vocabulary.designs,
        Kind.FAULTS: vocabulary.faults,
        Kind.INVARIANTS: vocabulary.invariants,
        Kind.RULES: vocabulary.rules,
        Kind.SITUATIONS: vocabulary.situations,
    }
    return lists[kind](lang.value)


def named_scenarios(names: list[str], lang: Language) -> list[Scenario]:
    from chaos.vocabulary import design_names
    from scenarios import loading

    situations = [entry.name for entry in entries(Kind.SITUATIONS, lang)]
    chosen: dict[str, Scenario] = {}
    for name in names or loading.library():
        scenario = loading.load(name, designs=design_names(), situations=situations)
        if scenario.name in chosen and chosen[scenario.name] != scenario:
            raise BadInput(f"two different scenarios are named {scenario.name!r}")
        chosen[scenario.name] = scenario
    return list(chosen.values())


def named_files(names: list[str]) -> dict[str, str]:
    """Scenario → the path that names it, for those that were not shipped. Raises ScenarioError."""
    from scenarios import loading

    found = {loading.load(name).name: loading.reference(name) for name in names}
    return {name: file for name, file in found.items() if name != file}


def named_designs(names: list[str], scenarios: list[Scenario]) -> list[str]:
    from chaos.vocabulary import design_names
    from scenarios.loading import meant

    known = design_names()
    for name in names:
        if name not in known:
            raise BadInput(f"no design {name!r}{meant(name, known)}; `dingfeng list designs` shows all")
    wanted = names or [name for scenario in scenarios for name in scenario.expect]
    if not wanted:
        raise BadInput("the scenario names no design under `expect`; say which to run with --design")
    return [name for name in known if name in wanted]


def ladder() -> list[str]:
    from chaos.vocabulary import ladder

    return list(ladder())


def named_invariants(names: list[str], lang: Language) -> list[str]:
    from scenarios.loading import meant

    known = [entry.name for entry in entries(Kind.INVARIANTS, lang)]
    for name in names:
        if name not in known:
            raise BadInput(f"no invariant {name!r}{meant(name, known)}; `dingfeng list invariants` shows all")
    return names


def _written(name: str, lang: Language, *, plain: bool) -> Scenario:
    """The scenario of a replay token, as written; `hunt` is the pool that hunts draw from."""
    from chaos.swarm import HUNT, pool

    scenario = pool() if name == HUNT else named_scenarios([name], lang)[0]
    return scenario.model_copy(update={"swarm": False}) if plain else scenario


def case_of(token: str, lang: Language) -> Case:
    """A kept run's directory, a self-contained token, or scenario:design:seed, perhaps with :plain."""
    from chaos.replay import Case, Recorded
    from chaos.shrink.tokens import decode, is_token
    from chaos.swarm import of_seed

    plain = token.endswith(PLAIN)
    parts = token.removesuffix(PLAIN).rsplit(":", 2)
    case: Case
    if is_token(token):
        case = decode(token)
    elif Path(token).is_dir():
        case = Recorded.read(Path(token))
    elif len(parts) == 3 and parts[2].isdecimal():
        case = Case(of_seed(_written(parts[0], lang, plain=plain), int(parts[2])), parts[1], int(parts[2]))
    else:
        raise BadInput(f"{token!r} is no replay token (scenario:design:seed) and no directory of a kept run")
    named_designs([case.design], [case.scenario])
    return case


def print_json(document: Any) -> None:
    """One JSON document on the standard output."""
    import json

    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def tell(campaign: Campaign, out: Path, lang: Language, *, as_json: bool) -> None:
    """How a campaign ended, as one JSON document or as people read it."""
    if as_json:
        import msgspec

        print_json(
            {
                "results": str(out),
                "exit_code": campaign.exit_code,
                "interrupted": campaign.interrupted,
                "stopped": campaign.stopped,
                "regressions": campaign.regressions,
                "error": campaign.error,
                "wall_s": campaign.wall_s,
                "cells": msgspec.to_builtins(campaign.cells),
            }
        )
        return
    from reports.terminal import console, show_campaign

    show_campaign(campaign, str(out), lang, console())
    for name in campaign.regressions:
        again = shlex.quote(f"{campaign.corpus}/{name}")
        typer.echo(f"dingfeng: a saved plan failed again: dingfeng replay {again}", err=True)
    for trouble in (campaign.stopped, campaign.error):
        if trouble:
            typer.echo(f"dingfeng: {trouble}; --resume {shlex.quote(str(out))} goes on", err=True)
