"""Commands that judge what is there: `report`, `gate`, `doctor`, and the schemas. `dingfeng.py` puts them on the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dingfeng_input import (
    BROKEN,
    HOLDS,
    INTERRUPTED,
    Json,
    Kind,
    Lang,
    Language,
    entries,
    print_json,
)

if TYPE_CHECKING:
    from chaos.doctor import Finding

schema_app = typer.Typer(no_args_is_help=True, help="JSON Schemas, for editors that complete and check YAML.")


def report(
    results: Annotated[Path, typer.Argument(help="A results directory that `run` has written.")],
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Write report.html, junit.xml, summary.json and summary.md into a results directory."""
    from reports import build

    files = [str(path) for path in build(results, lang.value)]
    if as_json:
        print_json({"files": files})
    else:
        typer.echo("\n".join(files))


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
    from chaos.sweep import vocabulary
    from reports.gate.checking import Known
    from reports.gate.release import release
    from reports.gate.terminal import show
    from reports.terminal import console

    names = {kind: [entry.name for entry in entries(kind, lang)] for kind in Kind}
    known = Known(
        designs=names[Kind.DESIGNS],
        library=names[Kind.SCENARIOS],
        invariants=names[Kind.INVARIANTS],
        rules=names[Kind.RULES],
        situations=names[Kind.SITUATIONS],
        journeys=names[Kind.JOURNEYS],
        faults=vocabulary.known(),
        swept=vocabulary.chosen(()),
    )
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
        print_json(told)
    else:
        show(told, files, lang.value, console())
    raise typer.Exit(told["exit_code"])


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
        print_json([{"subject": one.subject, "good": one.good, "seen": one.seen} for one in findings])
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(HOLDS if all(finding.good for finding in findings) else BROKEN)


@schema_app.command(name="scenario")
def schema_scenario() -> None:
    """The JSON Schema of a scenario file."""
    from scenarios.model import json_schema

    print_json(json_schema())


@schema_app.command(name="gate")
def schema_gate() -> None:
    """The JSON Schema of a gate policy."""
    from reports.gate.policy import json_schema

    print_json(json_schema())


@schema_app.command(name="calibration")
def schema_calibration() -> None:
    """The JSON Schema of a calibration."""
    from scenarios.speeds import Speeds

    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **Speeds.model_json_schema()})
