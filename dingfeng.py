"""dingfeng (定风, "still the storm"): the command line, and nothing else.

Each command reads its input, hands it to `chaos` and shows what came back. Heavy imports wait until
a command needs them, so `--help` answers at once.
"""

from __future__ import annotations

import errno
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from chaos.interrupts import hush
from dingfeng_input import (
    BAD_INPUT,
    BROKEN,
    HOLDS,
    INCONCLUSIVE,
    INTERRUPTED,
    VIOLATED,
    BadInput,
    Engine,
    Jobs,
    Json,
    Kind,
    Lang,
    Language,
    case_of,
    entries,
    named_designs,
    named_files,
    named_scenarios,
    print_json,
    tell,
)
from dingfeng_live import agree, live, toxiproxy
from dingfeng_search import frontier, hunt, shrink, sweep
from dingfeng_start import standard_streams
from dingfeng_verdict import doctor, gate, report, schema_app

_NOT_OURS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
"""What the machine refuses, and no line of ours can mend: a full disk, a place where we may not write."""


class _Interruptible(TyperGroup):
    """Commands that end with 130 on Ctrl-C; by itself Typer says 1, which here means a violation."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            hush()
            typer.echo("dingfeng: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None


app = typer.Typer(
    name="dingfeng",
    cls=_Interruptible,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Puts an order platform through the storm before its users do, and judges it from books
    that the platform does not own.

    A **scenario**, a **design** and a **seed** make one run, always the same. Begin with:

    - `dingfeng run callback_late -d naive --seeds 20`: one storm, twenty times
    - `dingfeng run`: the whole library against every design that it names
    - `dingfeng replay callback_late:naive:3`: one run again, told in words

    Exit codes: 0 all hold · 1 violated · 2 wrong input · 3 inconclusive · 4 the harness broke · 130 interrupted.
    """,
)


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - a flag is what an option's callback gets
    if wanted:
        from importlib.metadata import version

        typer.echo(f"dingfeng {version('dingfeng')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[  # noqa: ARG001 - its callback has done all
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


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
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Simulate parts as fast as this file says; `agree` writes one.", show_default=False
        ),
    ] = None,
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
    - `dingfeng run callback_late@calibration.yaml` with the speeds of real parts; `--calibration` does so for all
    """
    from chaos.campaign import Order, conduct
    from chaos.results import free_directory
    from chaos.resume import agree, taken_up
    from chaos.swarm import run_seed
    from reports.terminal import ProgressBar
    from scenarios.loading import library

    if seeds is not None and seed is not None:
        raise BadInput("--seeds N runs seeds 1 to N and --seed K runs one; give one of them")
    numbers = [seed] if seed is not None else range(1, (seeds or 20) + 1)
    budget = 1 if stop_first else max_failures
    names = scenario or []
    if calibration is not None:
        names = [f"{name}@{calibration}" for name in names or library()]
    chosen = named_scenarios(names, lang) if names or resume is None else []
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
            files=named_files(names),
        )
    bar = ProgressBar()
    try:
        campaign = conduct(order, bar.show if sys.stderr.isatty() else None)
    finally:
        bar.close()
    tell(campaign, order.out, lang, as_json=as_json)
    raise typer.Exit(campaign.exit_code or HOLDS)


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
    same = case.digest == result.digest if isinstance(case, Recorded) and case.digest else None
    if as_json:
        import msgspec

        print_json(
            {"run": msgspec.to_builtins(told), "verdicts": msgspec.to_builtins(result.verdicts), "same": same}
        )
    else:
        from reports.terminal import console, show_replay

        show_replay(told, result.history, result.verdicts, same, lang, console())
    if same is False:
        raise typer.Exit(BROKEN)
    raise typer.Exit({"violated": VIOLATED, "unknown": INCONCLUSIVE}.get(told.outcome, HOLDS))


def list_names(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """List scenarios, journeys, designs, faults, invariants, compensation rules or situations."""
    found = entries(kind, lang)
    if as_json:
        print_json([{"name": entry.name, "title": entry.title} for entry in found])
        return
    from reports.terminal import console, show_names

    show_names([(entry.name, entry.title) for entry in found], console())


# In the order of the help: run it, look closer, search, judge.
_COMMANDS: dict[str, Callable[..., None]] = {
    "run": run,
    "replay": replay,
    "live": live,
    "agree": agree,
    "hunt": hunt,
    "shrink": shrink,
    "sweep": sweep,
    "frontier": frontier,
    "list": list_names,
    "report": report,
    "gate": gate,
    "doctor": doctor,
    "toxiproxy": toxiproxy,
}
for _name, _command in _COMMANDS.items():
    app.command(name=_name)(_command)
app.add_typer(schema_app, name="schema")


def main() -> None:
    """Turns what was raised into one message and the right exit code."""
    standard_streams()
    try:
        app()
    except KeyboardInterrupt:  # before a command had begun, or after it had ended
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - what is not the user's input is a bug of ours, with its own code
        sys.exit(_explain(error))


def _explain(error: Exception) -> int:
    from chaos.engines import EngineError
    from chaos.results import ResultsError
    from scenarios.loading import ScenarioError

    if isinstance(error, BadInput | ScenarioError | ResultsError | EngineError):
        typer.echo(f"dingfeng: {error}", err=True)
        return BAD_INPUT
    if type(error).__name__ == "SchemaError" and "KeyboardInterrupt" in str(error):
        return INTERRUPTED  # while pydantic builds its models, Ctrl-C comes out as an error of its own
    if isinstance(error, OSError) and error.errno in _NOT_OURS:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"dingfeng: {where}{error.strerror}; nothing can be written there", err=True)
        return BROKEN
    import traceback

    traceback.print_exception(error)
    typer.echo("dingfeng: the harness broke; the lines above say where", err=True)
    return BROKEN


if __name__ == "__main__":
    main()
