"""Commands that look for trouble: `hunt`, `shrink`, `sweep`, `frontier`. `dingfeng.py` puts them on the command line."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from dingfeng_input import (
    HOLDS,
    INCONCLUSIVE,
    INTERRUPTED,
    VIOLATED,
    BadInput,
    Engine,
    Jobs,
    Json,
    Lang,
    Language,
    case_of,
    ladder,
    named_designs,
    named_invariants,
    named_scenarios,
    print_json,
)


def hunt(
    design: Annotated[str, typer.Option("--design", "-d", help="Design to hunt on.")] = "resilient",
    runs: Annotated[
        int | None, typer.Option(min=1, help="Storms at most.  [default: 10000]", show_default=False)
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Stop after so long.", show_default=False)
    ] = None,
    first: Annotated[int, typer.Option("--from", min=0, help="First seed.")] = 1,
    everything: Annotated[
        bool, typer.Option("--all", help="Go on after the first violation; tell one of each kind.")
    ] = False,
    invariant: Annotated[
        list[str] | None,
        typer.Option(help="Look for violations of this one only; repeatable.", show_default=False),
    ] = None,
    jobs: Jobs = os.cpu_count() or 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Results directory; must be new or empty.  [default: out/hunt/run-NNN]", show_default=False
        ),
    ] = None,
    engine: Engine = "local",
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Look for a storm that a design does not stand: random halves of everything that can go wrong.

    - `dingfeng hunt --minutes 10` hunts on resilient
    - `dingfeng hunt -d naive --runs 500 --all` tells one storm for each kind of violation
    """
    from chaos.hunt import Budget
    from chaos.hunt import hunt as go_hunting
    from chaos.results import free_directory
    from reports.hunting import as_data, show_hunt
    from reports.terminal import ProgressBar, console

    named_designs([design], [])
    only, target = named_invariants(invariant or [], lang), out or free_directory(Path("out/hunt"))
    bar, budget = ProgressBar(), Budget(first, runs, minutes, everything)
    watch, command = bar.show if sys.stderr.isatty() else None, shlex.join(["dingfeng", *sys.argv[1:]])
    try:
        found = go_hunting(
            design, budget, target, only=only, jobs=jobs, engine=engine, command=command, watch=watch
        )
    finally:
        bar.close()
    if as_json:
        print_json(as_data(found, str(target)))
    else:
        show_hunt(found, str(target), lang, console())
    raise typer.Exit(found.campaign.exit_code or HOLDS)


def shrink(
    token: Annotated[
        str,
        typer.Argument(
            help="A failing run: scenario:design:seed, or a kept one such as out/demo/failures/ID."
        ),
    ],
    budget: Annotated[int, typer.Option(min=5, help="Runs at most.")] = 100,
    invariant: Annotated[
        str,
        typer.Option(
            help="Shrink what breaks this one.  [default: the one broken first]", show_default=False
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="New directory for case, test and story.  [default: out/shrunk/run-NNN]", show_default=False
        ),
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Make a failing run small: fewest faults and orders that still break the same invariant.

    - `dingfeng shrink callback_doubled:naive:3` leaves a case, a test and a story in out/shrunk
    - `dingfeng shrink out/demo/failures/callback_late-naive-17 --budget 300`
    """
    from chaos.results import free_directory, refuse_taken
    from chaos.shrink import output
    from chaos.shrink.shrinker import shrink as shrink_case
    from chaos.shrink.signature import NothingToShrink
    from reports.shrinking import ShrinkBar, show_shrunk
    from reports.terminal import console

    named_invariants([invariant] if invariant else [], lang)
    target = out or free_directory(Path("out/shrunk"))
    refuse_taken(target)
    case, bar = case_of(token, lang), ShrinkBar()
    try:
        watch = bar.show if sys.stderr.isatty() else None
        shrunk = shrink_case(case, budget=budget, invariant=invariant, watch=watch)
    except NothingToShrink as error:
        raise BadInput(f"{token}: {error}") from None
    finally:
        bar.close()
    told = output.explain(shrunk, lang)
    output.write(told, target, lang)
    if as_json:
        print_json(output.summary(told, target))
    else:
        show_shrunk(output.sheet(told, target, lang), console())
    raise typer.Exit(INTERRUPTED if shrunk.interrupted else VIOLATED)


def sweep(
    journey: Annotated[str, typer.Argument(help="A journey (`list journeys`), a scenario, or a YAML file.")],
    design: Annotated[str, typer.Option("--design", "-d", help="Design to sweep.")] = "resilient",
    k: Annotated[int, typer.Option("--k", "-k", min=0, max=6, help="Faults at once, at most.")] = 2,
    faults: Annotated[
        list[str] | None,
        typer.Option(help="Fault or pattern such as 'link.*'; repeatable.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the workload.")] = 1,
    jobs: Jobs = os.cpu_count() or 1,
    out: Annotated[
        Path | None, typer.Option(help="Write the certificate to this file.", show_default=False)
    ] = None,
    stop_first: Annotated[bool, typer.Option("--stop-first", help="Stop at the first violation.")] = False,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Try every combination of up to k faults on a small workload, and certify what came of it.

    - `dingfeng sweep card_order --out out/card.json` all pairs of faults on one order of one card
    - `dingfeng sweep topup_order -d planted.reroute_on_silence --stop-first` finds a planted bug
    """
    from chaos import sweep as sweeping
    from chaos.certificate import refuse_taken, save
    from chaos.sweep.vocabulary import chosen
    from reports.sweeping import SweepBar, as_data, show_certificate
    from reports.terminal import console

    if out is not None:
        refuse_taken(out)
    scenario = named_scenarios([journey], lang)[0]
    ground = sweeping.Ground.of(scenario, named_designs([design], [scenario])[0], seed, chosen(faults or []))
    bar = SweepBar()
    try:
        found = sweeping.sweep(
            ground, k, jobs, bar.show if sys.stderr.isatty() else None, stop_first=stop_first
        )
    finally:
        bar.close()
    told = sweeping.certify(found)
    file = "" if out is None or found.cut_short else str(out)
    if file:
        save(told, Path(file))
    if as_json:
        print_json(as_data(told, file, cut_short=found.cut_short))
    else:
        show_certificate(told, file, lang.value, console(), cut_short=found.cut_short)
    if found.interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(VIOLATED if told.violated else INCONCLUSIVE if told.unknown else HOLDS)


def frontier(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario, a journey, or a YAML file.")],
    fault: Annotated[
        str,
        typer.Option(
            help="callback_delay, callback_loss, callback_copies, channel_outage, supplier_slow, replica_lag, "
            "crash_downtime, or FAULT.FIELD of a fault in the scenario."
        ),
    ],
    design: Annotated[
        list[str] | None,
        typer.Option("--design", "-d", help="Design; repeatable.  [default: the ladder]", show_default=False),
    ] = None,
    low: Annotated[
        str | None, typer.Option(help="Smallest value, such as 5s or 10%.", show_default=False)
    ] = None,
    high: Annotated[str | None, typer.Option(help="Largest value.", show_default=False)] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds for each value, 1 to N.")] = 20,
    jobs: Jobs = os.cpu_count() or 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="New directory for data and figure.  [default: out/frontier/run-NNN]", show_default=False
        ),
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Find the smallest delay, loss or outage at which each invariant first breaks, for each design.

    - `dingfeng frontier calm_trade --fault callback_delay` how late a notice may come, for the whole ladder
    - `dingfeng frontier callback_late --fault channel.callback_delay.probability -d naive`
    """
    from dataclasses import replace

    from chaos import frontier as search
    from chaos.dials import DialError, dial
    from chaos.results import claim, free_directory
    from reports import frontier as told

    storm, bar = named_scenarios([scenario], lang)[0], told.FrontierBar()
    target = out or free_directory(Path("out/frontier"))
    chosen = named_designs(design or ladder(), [storm])
    try:
        knob = dial(fault, storm)
        knob = replace(
            knob, low=knob.read(low) if low else knob.low, high=knob.read(high) if high else knob.high
        )
        search.checked(storm, knob)
        claim(target)
        watch = bar.show if sys.stderr.isatty() else None
        found = search.frontier(storm, knob, chosen, seeds, jobs=jobs, watch=watch)
    except DialError as error:
        raise BadInput(str(error)) from None
    finally:
        bar.close()
    told.write(found, knob, target, lang)
    if as_json:
        import msgspec

        print_json({"results": str(target), **msgspec.to_builtins(found)})
    else:
        from reports.terminal import console

        told.show_frontier(found, knob, str(target), lang, console())
    raise typer.Exit(INTERRUPTED if found.interrupted else told.exit_code(found))
