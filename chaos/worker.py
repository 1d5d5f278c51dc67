"""Runs a batch of seeds in a worker process and boils each run down to its line and its artefacts.

Only what the parent will keep travels back, encoded and added up already, so that one parent keeps many
workers busy: lines of all runs, whole histories of the first failures of each kind.
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

import msgspec

from chaos.behaviour import behaviour
from chaos.checkers.verdict import Kind, kinds
from chaos.results import SCHEMA, Run
from chaos.tally import Counts
from scenarios.model import Scenario

if TYPE_CHECKING:
    from chaos.run import RunResult  # only its shape: a campaign can run other things than the simulator

RUN_LIMIT_S = 60.0
ORDER_LIMIT_S = 0.05
"""Wall time after which a run counts as hung: this much, and this much for each order.

A runner that takes longer says so by an attribute `limit_s`.
"""

Runner = Callable[[Scenario, str, int], "RunResult"]


@dataclass(frozen=True)
class Batch:
    """Seeds of one scenario on one design.

    `known` are the first seeds of each invariant broken so far, `known_kinds` the first of each way to break it, so
    that only what comes before them is kept;
    `sample` asks for one run that held; after `failures` failing runs the rest is left out.
    """

    scenario: Scenario
    design: str
    seeds: Sequence[int]
    known: Mapping[str, list[int]]
    sample: bool
    failures: int | None
    known_kinds: Mapping[Kind, int] = field(default_factory=dict)


@dataclass
class Outcome:
    """A batch, run: encoded lines and their sum. `files` are artefacts by folder and run id."""

    lines: bytes
    counts: Counts
    files: dict[tuple[str, str], dict[str, bytes]]


def name_of(runner: Runner) -> str:
    """What a campaign calls its runner: runs of another one must not get among them."""
    if isinstance(runner, partial):
        return name_of(runner.func)
    return getattr(runner, "__qualname__", None) or repr(runner)


def run_id(scenario: str, design: str, seed: int) -> str:
    """The name of a run's directory under failures/ or samples/."""
    return f"{scenario}-{design}-{seed}"


def run_batch(runner: Runner, batch: Batch) -> Outcome:
    """Run every seed of the batch; one that raises is a broken run, and the rest go on."""
    counts = Counts()
    counts.first_seeds.update({invariant: list(seeds) for invariant, seeds in batch.known.items()})
    counts.first_of_kind.update(batch.known_kinds)
    lines = bytearray()
    files: dict[tuple[str, str], dict[str, bytes]] = {}
    for seed in batch.seeds:
        name = run_id(batch.scenario.name, batch.design, seed)
        result, run = run_one(runner, batch.scenario, batch.design, seed)
        first_sample = batch.sample and counts.sample is None and run.outcome == "holds"
        counts.add(run)
        if result is not None:
            if counts.kept(run):
                run = msgspec.structs.replace(run, failure=name)
                files["failures", name] = artefacts(result.scenario, run, result)
            elif first_sample:
                files["samples", name] = artefacts(result.scenario, run, result)
        lines += msgspec.json.encode(run)
        lines += b"\n"
        if batch.failures is not None and counts.failing >= batch.failures:
            break
    return Outcome(bytes(lines), counts, files)


def run_one(runner: Runner, scenario: Scenario, design: str, seed: int) -> tuple[RunResult | None, Run]:
    """One run within its time limit; what the harness raises is the run's outcome (exit 4), with no result."""
    try:
        limit_s = getattr(runner, "limit_s", RUN_LIMIT_S)
        with _time_limit(limit_s + ORDER_LIMIT_S * scenario.workload.orders):
            result = runner(scenario, design, seed)
        return result, line(scenario, design, seed, result)
    except RunStopped as stopped:
        return None, Run(scenario.name, design, seed, "unknown", stopped=str(stopped))
    except (Exception, RunHung):  # noqa: BLE001 - see above
        return None, Run(scenario.name, design, seed, "broken", error=traceback.format_exc())


class RunStopped(Exception):
    """A run that was safely ended before its time: it proves nothing. The message says why."""


class RunHung(BaseException):
    """A run that does not end. No plain Exception, so that nothing inside the run mistakes it for its own."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise RunHung in the middle of whatever goes on for too long. Virtual time may livelock; campaigns must not.

    Whoever called may have a limit of its own by the same timer (pytest-timeout has): it goes on afterwards with
    what is left of it, and if it ends sooner it is the limit.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    theirs_s, every_s = signal.getitimer(signal.ITIMER_REAL)
    if 0 < theirs_s <= seconds:
        yield
        return

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise RunHung(f"no end after {seconds:.0f} s of wall time")

    previous = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        left_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if theirs_s:
            signal.setitimer(signal.ITIMER_REAL, theirs_s - (seconds - left_s), every_s)


def line(scenario: Scenario, design: str, seed: int, result: RunResult) -> Run:
    """A run as one line of runs.jsonl."""
    verdicts = {
        verdict.invariant: verdict.outcome for verdict in result.verdicts if verdict.outcome != "holds"
    }
    outcomes = list(verdicts.values())
    crashed = [
        verdict.invariant
        for verdict in result.verdicts
        if any(witness.entity == "checker" for witness in verdict.witnesses)
    ]
    return Run(
        scenario.name,
        design,
        seed,
        "violated" if "violated" in outcomes else "unknown" if outcomes else "holds",
        digest=result.digest,
        verdicts=dict(verdicts),
        amounts_fen={v.invariant: v.amount_fen for v in result.verdicts if v.outcome == "violated"},
        kinds=kinds(result.verdicts),
        crashed=crashed,
        audit={"counts": result.audit.counts, "matrix": msgspec.to_builtins(list(result.audit.matrix))},
        met=list(result.met),
        touched=dict(result.touched),
        orders=result.orders,
        events=len(result.history.events),
        virtual_us=result.history.header.end_us,
        behaviour=behaviour(result.history.events),
        measures=result.measures,
        wall_ms=round(result.wall_s * 1000, 3),
    )


def artefacts(scenario: Scenario, run: Run, result: RunResult) -> dict[str, bytes]:
    """Everything about one run: its history, what was said of it, and the plan that replays it."""
    verdict = {"run": run, "verdicts": list(result.verdicts), "audit": result.audit}
    plan = {
        "schema": SCHEMA,
        "design": run.design,
        "seed": run.seed,
        "digest": run.digest,
        "scenario": dump(scenario),
        "plan": result.plan,
        "keep": result.keep,
        "world": result.world,
    }
    return {
        "history.jsonl": b"\n".join(result.history.lines()) + b"\n",
        "verdict.json": msgspec.json.format(msgspec.json.encode(verdict), indent=1),
        "plan.json": msgspec.json.format(msgspec.json.encode(plan), indent=1),
    }


def dump(scenario: Scenario) -> dict[str, Any]:
    """A scenario as plain data that loads again; expectations in the form that files use."""
    data = scenario.model_dump(mode="json", by_alias=True)
    data["expect"] = {
        design: {"violated": list(wanted.violated)} if wanted.violated else "holds"
        for design, wanted in scenario.expect.items()
    }
    return data
