"""Runs a batch of seeds in a worker process and boils each run down to its line and its artefacts.

Only what the parent will keep travels back: lines for all runs, whole histories for the few first
failures of each kind.
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

import msgspec

from chaos.results import SCHEMA, Run
from scenarios.model import Scenario

if TYPE_CHECKING:
    from chaos.run import RunResult  # only its shape: a campaign can run other things than the simulator

RUN_LIMIT_S = 60.0
ORDER_LIMIT_S = 0.05
"""Wall time after which a run counts as hung: this much, and this much for each order."""

KEPT_FAILURES = 3
"""Failing runs kept whole for each scenario, design and invariant."""


Runner = Callable[[Scenario, str, int], "RunResult"]


@dataclass(frozen=True)
class Batch:
    """Seeds of one scenario on one design. `saturated`: invariants with enough failures kept already."""

    scenario: Scenario
    design: str
    seeds: Sequence[int]
    saturated: frozenset[str]
    sample: bool
    stop_first: bool


@dataclass
class Outcome:
    """A batch, run. `files` are artefacts by folder and run id."""

    runs: list[Run] = field(default_factory=list)
    files: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)


def run_batch(runner: Runner, batch: Batch) -> Outcome:
    """Run every seed of the batch; one that raises is a broken run, and the rest go on."""
    outcome = Outcome()
    kept: Counter[str] = Counter(dict.fromkeys(batch.saturated, KEPT_FAILURES))
    sample_wanted = batch.sample
    for seed in batch.seeds:
        try:
            with _time_limit(RUN_LIMIT_S + ORDER_LIMIT_S * batch.scenario.workload.orders):
                result = runner(batch.scenario, batch.design, seed)
        except (Exception, RunHung):  # noqa: BLE001 - what the harness raises is this run's outcome: exit 4
            outcome.runs.append(_broken(batch, seed))
        else:
            run = line(batch.scenario, batch.design, seed, result)
            run_id = f"{run.scenario}-{run.design}-{seed}"
            if any(kept[invariant] < KEPT_FAILURES for invariant in run.violated):
                kept.update(run.violated)
                run = msgspec.structs.replace(run, failure=run_id)
                outcome.files["failures", run_id] = artefacts(batch.scenario, run, result)
            elif sample_wanted and run.outcome == "holds":
                sample_wanted = False
                outcome.files["samples", run_id] = artefacts(batch.scenario, run, result)
            outcome.runs.append(run)
        if batch.stop_first and outcome.runs[-1].outcome in ("violated", "broken"):
            break
    return outcome


class RunHung(BaseException):
    """A run that does not end. No plain Exception, so that nothing inside the run mistakes it for its own."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise RunHung in the middle of whatever goes on for too long. Virtual time may livelock; campaigns must not."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise RunHung(f"no end after {seconds:.0f} s of wall time")

    previous = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _broken(batch: Batch, seed: int) -> Run:
    return Run(batch.scenario.name, batch.design, seed, "broken", error=traceback.format_exc())


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
        crashed=crashed,
        audit={"counts": result.audit.counts, "matrix": msgspec.to_builtins(list(result.audit.matrix))},
        met=list(result.met),
        touched=dict(result.touched),
        orders=result.orders,
        events=len(result.history.events),
        virtual_us=result.history.header.end_us,
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
