"""Commands of the live world: `live`, `toxiproxy`. `dingfeng.py` puts them on the command line."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dingfeng_input import (
    HOLDS,
    INCONCLUSIVE,
    INTERRUPTED,
    VIOLATED,
    BadInput,
    Json,
    Lang,
    Language,
    named_designs,
    named_files,
    named_scenarios,
    print_json,
    tell,
)


@contextmanager
def live_packages() -> Iterator[None]:
    """Turns the lack of a package that only the live world needs into one message that names the remedy."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "dingfeng").partition(".")[0] in {
            "chaos",
            "dingfeng",
            "reference_platform",
            "reports",
            "sim",
        }:
            raise
        raise BadInput(
            f"the live world needs {error.name}, which is not installed: pip install 'dingfeng[live]'"
        ) from None


def toxiproxy(
    host: Annotated[str, typer.Option(help="Address of the API.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the API; 0 takes a free one.")] = 8474,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="The same seed does the same to the same connections.  [default: another each time]",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="JSON file with a list of proxies to begin with, toxics included.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a Toxiproxy server until Ctrl-C or SIGTERM.

    - `dingfeng toxiproxy` as `toxiproxy-server` would, on port 8474
    - `dingfeng toxiproxy --port 0 --seed 7 --config proxies.json` on a free port, replayable
    """
    import json
    import signal

    with live_packages():
        from chaos.toxiproxy.server import CannotServe, Options, serve

    number = time.time_ns() % 1_000_000 if seed is None else seed

    def ready(url: str) -> None:
        line = json.dumps({"url": url, "seed": number}) if as_json else f"Toxiproxy at {url}, seed {number}"
        print(line, flush=True)  # noqa: T201 - a reader of the pipe waits for this line

    try:
        ended = serve(Options(host, port, number, config), ready)
    except CannotServe as error:
        raise BadInput(str(error)) from None
    if ended == signal.SIGINT:
        raise typer.Exit(INTERRUPTED)


def live(
    scenario: Annotated[list[str], typer.Argument(help="Names of shipped scenarios, or YAML files.")],
    design: Annotated[
        list[str] | None,
        typer.Option(
            "--design", "-d", help="Design to run; repeatable. [default: those that the scenarios name]"
        ),
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Run seeds 1 to N.", show_default=False)] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Run this one seed.  [default: 1]", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Results directory; must be new or empty.  [default: out/run-NNN]", show_default=False
        ),
    ] = None,
    toxiproxy: Annotated[
        str | None,
        typer.Option(
            "--toxiproxy",
            help="URL of a Toxiproxy's API.  [default: a toxiproxy-server on the PATH, else our own]",
            show_default=False,
        ),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            help="A PostgreSQL to use instead of the embedded one; it gets a schema of its own.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Locust processes that make load.")] = 1,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, max=16, help="Platform processes.  [default: the design's]", show_default=False),
    ] = None,
    budget: Annotated[float, typer.Option(min=10, help="Real seconds that one run may take.")] = 300.0,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Run scenarios on real parts: processes, PostgreSQL, HTTP through Toxiproxy, load from Locust, signals.

    The same scenario, faults, history and checkers as `run`. Hours of the run pass in seconds, because its
    clock leaps whenever nothing moves.

    - `dingfeng live callback_late` on the designs that the scenario names
    - `dingfeng live node_crash_around_commit -d resilient --seeds 5`
    """
    with live_packages():
        from chaos.live.limits import refuse
        from chaos.live.options import CannotRun, Options, discreet
        from chaos.live.run import LiveRunner
    from chaos.campaign import Order, conduct
    from chaos.results import LIVE, free_directory
    from reports.live import Steps, show_load
    from reports.terminal import console

    if seeds is not None and seed is not None:
        raise BadInput("--seeds N runs seeds 1 to N and --seed K runs one; give one of them")
    chosen = []
    for name in scenario:
        [one] = named_scenarios([name], lang)
        refuse(name, one, given_database=database_url is not None)
        chosen.append(one.model_copy(update={"swarm": False}))
    options = Options(toxiproxy, database_url, workers, budget)
    try:
        options.check()
    except CannotRun as error:
        raise BadInput(str(error)) from None
    steps = Steps()
    results = out or free_directory(Path("out"))
    order = Order(
        chosen,
        named_designs(design or [], chosen),
        range(1, seeds + 1) if seeds is not None else [1 if seed is None else seed],
        LiveRunner(options, steps.show, nodes, results / "live"),
        results,
        command=shlex.join(["dingfeng", *discreet(sys.argv[1:], database_url)]),
        files=named_files(scenario),
        world=LIVE,
    )
    try:
        campaign = conduct(order)
    finally:
        steps.close()
    tell(campaign, order.out, lang, as_json=as_json)
    if not as_json:
        show_load(order.out, lang, console())
    raise typer.Exit(campaign.exit_code or HOLDS)


def agree(
    scenario: Annotated[str, typer.Argument(help="Name of a shipped scenario, or a YAML file.")],
    design: Annotated[
        list[str] | None,
        typer.Option(
            "--design", "-d", help="Design to run; repeatable. [default: those that the scenario names]"
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Run seeds 1 to N on real parts, and at least 60 seeds simulated.")
    ] = 3,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Simulate with the speeds measured on the real parts.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="New directory for the results.  [default: out/agree/run-NNN]", show_default=False),
    ] = None,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Run the same storms simulated and on real parts, and compare verdicts, status changes and times.

    - `dingfeng agree callback_late` on the designs that the scenario names
    - `dingfeng agree calm_trade -d resilient --calibrate` the simulator as fast as the real parts

    The speeds of the real parts are kept in calibration.yaml; `dingfeng run --calibration` simulates with them.

    Exit codes: 0 the verdicts agree · 1 they differ · 3 some run could not be judged.
    """
    with live_packages():
        from chaos.live.agreeing import Plan, agree_on
        from chaos.live.limits import refuse
        from chaos.live.options import CannotRun, Options
    from chaos.results import claim, free_directory
    from reports import agreement as told
    from reports.live import Steps
    from reports.terminal import console

    [one] = named_scenarios([scenario], lang)
    refuse(scenario, one, given_database=False)
    designs, options = named_designs(design or [], [one]), Options()
    try:
        options.check()
    except CannotRun as error:
        raise BadInput(str(error)) from None
    target = out or free_directory(Path("out/agree"))
    claim(target)
    steps = Steps()
    plan = Plan(
        one,
        designs,
        seeds,
        calibrate=calibrate,
        command=shlex.join(["dingfeng", *sys.argv[1:]]),
    )
    try:
        found = agree_on(plan, options, target, steps.show)
    finally:
        steps.close()
    if found is None:
        raise typer.Exit(INTERRUPTED)
    told.write(found.agreement, found.speeds, calibrated=calibrate, out=target, lang=lang)
    if as_json:
        print_json(told.as_data(found.agreement, str(target)))
    else:
        told.show(found.agreement, found.speeds, str(target), lang, console(), calibrated=calibrate)
    if found.agreement.differing:
        raise typer.Exit(VIOLATED)
    raise typer.Exit(INCONCLUSIVE if found.agreement.undecided or found.broken else HOLDS)
