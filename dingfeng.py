"""dingfeng (定风, "still the storm"): the command line, and nothing else.

Each command reads its input, hands it to `chaos` and shows what came back. Heavy imports wait until
a command needs them, so `--help` answers at once.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from dingfeng_input import (
    BadInput,
    Engine,
    Jobs,
    Json,
    Kind,
    Lang,
    Language,
    case_of,
    entries,
    ladder,
    named_designs,
    named_invariants,
    named_scenarios,
)

if TYPE_CHECKING:
    from chaos.doctor import Finding
    from chaos.results import Campaign

HOLDS, VIOLATED, BAD_INPUT, INCONCLUSIVE, BROKEN, INTERRUPTED = 0, 1, 2, 3, 4, 130


class _Interruptible(TyperGroup):
    """Commands that end with 130 on Ctrl-C; by itself Typer says 1, which here means a violation."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("dingfeng: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="dingfeng",
    cls=_Interruptible,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Puts an order platform through the storm before its users do, and judges it from books
    that the platform does not own.

    A **scenario**, a **design** and a **seed** make one run, always the same. Begin with:

    - `dingfeng run callback_late -d naive --seeds 20`: one storm, twenty times
    - `dingfeng run`: the whole library against every design that it names
    - `dingfeng replay callback_late:naive:3`: one run again, told in words

    Exit codes: 0 all hold · 1 violated · 2 wrong input · 3 inconclusive · 4 the harness broke · 130 interrupted.
    """,
)
schema_app = typer.Typer(no_args_is_help=True, help="JSON Schemas, for editors that complete and check YAML.")
app.add_typer(schema_app, name="schema")


@app.command()
def run(
    scenario: Annotated[
        list[str] | None,
        typer.Argument(help="Names of shipped scenarios, or YAML files; all shipped ones if none."),
    ] = None,
    design: Annotated[
        list[str] | None,
        typer.Option(
            "--design", "-d", help="Design to run; repeatable. [default: those that the scenarios name]"
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Run seeds 1 to N.  [default: 20]", show_default=False)
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Run this one seed.", show_default=False)] = None,
    jobs: Jobs = os.cpu_count() or 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Results directory; must be new or empty.  [default: out/run-NNN]", show_default=False
        ),
    ] = None,
    engine: Engine = "local",
    max_failures: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after N runs that fail unexpectedly.", show_default=False),
    ] = None,
    stop_first: Annotated[bool, typer.Option("--stop-first", help="As --max-failures 1.")] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Every seed as written; else even seeds vary the storm.")
    ] = False,
    corpus: Annotated[
        Path | None,
        typer.Option(help="Directory of failing plans: tried first, new ones are added.", show_default=False),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Finish the campaign in this results directory.", show_default=False),
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Run scenarios × designs × seeds, and judge every run.

    - `dingfeng run calm_trade` one scenario, 20 seeds, on the designs that it names
    - `dingfeng run callback_doubled -d naive --seed 7` one run
    - `dingfeng run my_storm.yaml -d resilient --seeds 2000 --out out/mine`
    """
    from chaos.campaign import Order, conduct
    from chaos.results import free_directory
    from chaos.resume import agree, taken_up
    from chaos.swarm import run_seed
    from reports.terminal import ProgressBar

    if seeds is not None and seed is not None:
        raise BadInput("--seeds N runs seeds 1 to N and --seed K runs one; give one of them")
    numbers = [seed] if seed is not None else range(1, (seeds or 20) + 1)
    budget = 1 if stop_first else max_failures
    chosen = named_scenarios(scenario or [], lang) if scenario or resume is None else []
    if plain:
        chosen = [one.model_copy(update={"swarm": False}) for one in chosen]
    if resume is not None:
        if out is not None or corpus is not None:
            raise BadInput(
                "--resume goes on in its own directory, with its own corpus; leave --out and --corpus out"
            )
        order = taken_up(resume, run_seed, jobs, engine, budget)
        agree(order, chosen, design or [], numbers if seed is not None or seeds is not None else [])
    else:
        order = Order(
            chosen,
            named_designs(design or [], chosen),
            numbers,
            run_seed,
            out or free_directory(Path("out")),
            jobs,
            budget,
            shlex.join(["dingfeng", *sys.argv[1:]]),
            engine,
            corpus or (Path("out/corpus") if out is None else None),
        )
    bar = ProgressBar()
    try:
        campaign = conduct(order, bar.show if sys.stderr.isatty() else None)
    finally:
        bar.close()
    _tell(campaign, order.out, lang, as_json=as_json)
    raise typer.Exit(campaign.exit_code or HOLDS)


def _tell(campaign: Campaign, out: Path, lang: Language, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        _print_json(
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
        typer.echo(f"dingfeng: a saved plan failed again: dingfeng replay {campaign.corpus}/{name}", err=True)
    for trouble in (campaign.stopped, campaign.error):
        if trouble:
            typer.echo(f"dingfeng: {trouble}; --resume {out} goes on", err=True)


@app.command()
def replay(
    token: Annotated[
        str, typer.Argument(help="scenario:design:seed, or a kept run such as out/demo/failures/ID.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Keep plan, history and verdicts in this new directory.", show_default=False),
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Run one seed again and tell what happened.

    - `dingfeng replay callback_late:naive:17` as every failure prints it
    - `dingfeng replay out/demo/failures/callback_late-naive-17` by its recorded plan and scenario
    - `dingfeng replay df1.eNp1…` the self-contained token of a shrunk case
    """
    from chaos.replay import Recorded
    from chaos.worker import artefacts, line

    case = case_of(token, lang)
    result = case.run()
    told = line(case.scenario, case.design, case.seed, result)
    if out is not None:
        from chaos.results import claim

        claim(out)
        for file, content in artefacts(case.scenario, told, result).items():
            (out / file).write_bytes(content)
    same = case.digest == result.digest if isinstance(case, Recorded) else None
    if as_json:
        import msgspec

        _print_json(
            {"run": msgspec.to_builtins(told), "verdicts": msgspec.to_builtins(result.verdicts), "same": same}
        )
    else:
        from reports.terminal import console, show_replay

        show_replay(told, result.history, result.verdicts, same, lang, console())
    if same is False:
        raise typer.Exit(BROKEN)
    raise typer.Exit({"violated": VIOLATED, "unknown": INCONCLUSIVE}.get(told.outcome, HOLDS))


@app.command()
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
        _print_json(as_data(found, str(target)))
    else:
        show_hunt(found, str(target), lang, console())
    raise typer.Exit(found.campaign.exit_code or HOLDS)


@app.command()
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
    from chaos.results import free_directory
    from chaos.shrink import output
    from chaos.shrink.shrinker import shrink as shrink_case
    from chaos.shrink.signature import NothingToShrink
    from reports.shrinking import ShrinkBar, show_shrunk
    from reports.terminal import console

    target = out or free_directory(Path("out/shrunk"))
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
        _print_json(output.summary(told, target))
    else:
        show_shrunk(output.sheet(told, target, lang), console())
    raise typer.Exit(INTERRUPTED if shrunk.interrupted else VIOLATED)


@app.command()
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
    from chaos.certificate import save
    from chaos.sweep.vocabulary import chosen
    from reports.sweeping import SweepBar, as_data, show_certificate
    from reports.terminal import console

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
        _print_json(as_data(told, file, cut_short=found.cut_short))
    else:
        show_certificate(told, file, console(), cut_short=found.cut_short)
    if found.interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(VIOLATED if told.violated else INCONCLUSIVE if told.unknown else HOLDS)


@app.command()
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

        _print_json({"results": str(target), **msgspec.to_builtins(found)})
    else:
        from reports.terminal import console

        told.show_frontier(found, knob, str(target), lang, console())
    raise typer.Exit(INTERRUPTED if found.interrupted else told.exit_code(found))


@app.command(name="list")
def list_names(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """List scenarios, journeys, designs, faults, invariants, compensation rules or situations."""
    found = entries(kind, lang)
    if as_json:
        _print_json([{"name": entry.name, "title": entry.title} for entry in found])
        return
    from reports.terminal import console, show_names

    show_names([(entry.name, entry.title) for entry in found], console())


@app.command()
def report(
    results: Annotated[Path, typer.Argument(help="A results directory that `run` has written.")],
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Write report.html, junit.xml, summary.json and summary.md into a results directory."""
    from reports import build

    files = [str(path) for path in build(results, lang.value)]
    if as_json:
        _print_json({"files": files})
    else:
        typer.echo("\n".join(files))


@app.command()
def gate(
    results: Annotated[list[Path], typer.Argument(help="Results of the candidate; several are joined.")],
    policy: Annotated[
        Path | None, typer.Option(help="What is demanded.  [default: the shipped policy]", show_default=False)
    ] = None,
    baseline: Annotated[
        list[Path] | None, typer.Option(help="Results to compare with, by paired seeds; repeatable.")
    ] = None,
    certificate: Annotated[
        list[Path] | None, typer.Option(help="Certificate of a sweep; repeatable.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write.  [default: gate/ in the first results]", show_default=False),
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Decide whether a release may go out: exit code, gate.json, junit.xml and gate.md.

    - `dingfeng gate out/candidate` by the shipped policy: `resilient` holds, below 1% at 95%
    - `dingfeng gate out/candidate out/retry --policy gate.yaml --baseline out/released`
    """
    from reports.gate.checking import Known
    from reports.gate.release import release
    from reports.gate.terminal import show
    from reports.terminal import console

    lists = (Kind.DESIGNS, Kind.SCENARIOS, Kind.INVARIANTS, Kind.RULES, Kind.SITUATIONS)
    known = Known(*([entry.name for entry in entries(kind, lang)] for kind in lists))
    told, files = release(
        results,
        known,
        policy=policy,
        baseline=baseline or [],
        certificates=certificate or [],
        out=out,
        lang=lang.value,
    )
    if as_json:
        _print_json(told)
    else:
        show(told, files, lang.value, console())
    raise typer.Exit(told["exit_code"])


@schema_app.command(name="scenario")
def schema_scenario() -> None:
    """The JSON Schema of a scenario file."""
    from scenarios.model import json_schema

    _print_json(json_schema())


@schema_app.command(name="gate")
def schema_gate() -> None:
    """The JSON Schema of a gate policy."""
    from reports.gate.policy import json_schema

    _print_json(json_schema())


@app.command()
def doctor(
    seed: Annotated[int, typer.Option(min=0, help="The seed that is run twice.")] = 1,
    twice: Annotated[
        int, typer.Option("--double-runs", min=0, help="Make N more runs twice, over all storms and designs.")
    ] = 0,
    certificate: Annotated[
        Path | None,
        typer.Option(help="Run a part of a sweep's certificate again instead.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check this machine, and that a seed gives the same history in two different processes."""
    from chaos.determinism import WATCHED, double_runs
    from chaos.doctor import determinism, environment
    from chaos.vocabulary import design_names
    from reports.terminal import console, show_finding
    from scenarios.loading import library

    shown = console()
    findings = []

    def tell(finding: Finding) -> None:
        findings.append(finding)
        if not as_json:
            show_finding(finding.subject, finding.seen, shown, good=finding.good)

    checks = [environment(Path()), determinism(library(), design_names(), seed)]
    if certificate is not None:
        from chaos.certificate import load
        from chaos.sweep import verify

        checks = [verify(load(certificate))]
    for check in checks:
        for finding in check:
            tell(finding)
    interrupted = False
    if twice:
        with typer.progressbar(length=twice, file=sys.stderr) as bar:
            made = double_runs(library(), design_names(), twice, lambda _: bar.update(WATCHED))
        interrupted = made.interrupted
        for finding in made.findings():
            tell(finding)
    if as_json:
        _print_json([{"subject": one.subject, "good": one.good, "seen": one.seen} for one in findings])
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(HOLDS if all(finding.good for finding in findings) else BROKEN)


def _print_json(document: Any) -> None:
    import json

    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def main() -> None:
    """The console script: turns what was raised into one message and the right exit code."""
    try:
        app()
    except Exception as error:  # noqa: BLE001 - what is not the user's input is a bug of ours, with its own code
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    from chaos.engines import EngineError
    from chaos.results import ResultsError
    from scenarios.loading import ScenarioError

    if isinstance(error, BadInput | ScenarioError | ResultsError | EngineError):
        typer.echo(f"dingfeng: {error}", err=True)
        return BAD_INPUT
    import traceback

    traceback.print_exception(error)
    typer.echo("dingfeng: the harness broke; the lines above say where", err=True)
    return BROKEN


if __name__ == "__main__":
    main()
