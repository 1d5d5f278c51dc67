"""Campaigns: what runs, what is kept, what it adds up to. The runs here are made up; the machinery is real."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from chaos.campaign import Order, conduct
from chaos.checkers.verdict import Kind, Verdict, Witness
from chaos.finds import finds
from chaos.history import SCHEMA, Header, History
from chaos.interrupts import Interrupts
from chaos.measures import Measures
from chaos.results import Campaign, Results, ResultsError, Run
from chaos.tally import KEPT_FAILURES, Exit, strength, upper_bound
from chaos.worker import Runner
from scenarios import loading
from scenarios.model import Expectation, Scenario


@dataclass
class FakeAudit:
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    matrix: list[Any] = field(default_factory=list)


@dataclass
class FakeResult:
    """The shape of `chaos.run.RunResult`."""

    scenario: Scenario
    history: History
    verdicts: Sequence[Verdict]
    met: Sequence[str]
    touched: Mapping[str, int]
    audit: FakeAudit = field(default_factory=FakeAudit)
    plan: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    digest: str = "d1"
    keep: Sequence[int] | None = None
    measures: Measures = field(default_factory=Measures)
    orders: int = 2
    world: str = "sim"
    wall_s: float = 0.001


def _result(scenario: Scenario, design: str, seed: int, *verdicts: Verdict, touched: int = 1) -> FakeResult:
    history = History(Header(SCHEMA, "0", scenario.name, design, seed, 1, 2, 3))
    history.book("CH", "captured", f"O{seed}/c1", {"channel": "wechat", "paid_fen": 9800})
    return FakeResult(
        scenario,
        history,
        verdicts,
        list(scenario.sometimes) if touched else [],
        {f"{index}/{rule.fault}/{rule.where()}": touched for index, rule in enumerate(scenario.faults)},
    )


def _violated(invariant: str, amount_fen: int = 9800, *more: Witness) -> Verdict:
    return Verdict(invariant, "violated", 2, 1, (Witness("order", "O1", "lost"), *more), amount_fen)


def fake_run(scenario: Scenario, design: str, seed: int) -> FakeResult:
    """naive breaks I-20 with every even seed, and I-30 always; `two_ways` breaks I-20 always, and at seeds 30 and 50
    in another way as well; `fragile` raises at seed 3; the rest holds.
    """
    if design == "naive":
        even = [_violated("I-20")] if seed % 2 == 0 else []
        return _result(scenario, design, seed, *even, _violated("I-30"))
    if design == "two_ways":
        rare = [Witness("order", "O2", "twice", amount_fen=1)] if seed in (30, 50) else []
        return _result(scenario, design, seed, _violated("I-20", 9800, *rare))
    if design == "fragile" and seed == 3:
        raise ZeroDivisionError("the harness broke here")
    if design == "crashed_checker":
        broken = Witness("checker", "I-05", "broken", {"error": "KeyError"})
        return _result(scenario, design, seed, Verdict("I-05", "unknown", 0, 1, (broken,)))
    if design == "undecided":
        return _result(scenario, design, seed, Verdict("I-05", "unknown", 1, 1))
    return _result(scenario, design, seed, Verdict("I-20", "holds", 2), touched=0 if design == "calm" else 1)


def interrupt_at_five(scenario: Scenario, design: str, seed: int) -> FakeResult:
    """Ctrl-C while seed 5 runs."""
    if seed == 5:
        raise KeyboardInterrupt
    return fake_run(scenario, design, seed)


def storm(expect: Mapping[str, Expectation]) -> Scenario:
    scenario = loading.load("callback_late")
    return scenario.model_copy(update={"expect": dict(expect), "sometimes": ("query_found_capture",)})


def campaign(
    out: Path,
    *designs: str,
    seeds: int = 6,
    jobs: int = 1,
    runner: Any = fake_run,
    max_failures: int | None = None,
    expect: Mapping[str, Expectation] | None = None,
) -> Campaign:
    order = Order(
        [storm(expect or {})],
        designs,
        range(1, seeds + 1),
        cast(Runner, runner),
        out,
        jobs,
        max_failures,
        "test",
    )
    return conduct(order)


HOLDS = Expectation.model_validate("holds")


def test_a_clean_design_holds_and_says_how_strong_that_is(tmp_path: Path) -> None:
    """Exit 0, and the rate that so many clean runs exclude."""
    ended = campaign(tmp_path / "r", "resilient", expect={"resilient": HOLDS})
    assert ended.exit_code == Exit.HOLDS
    assert [(cell.outcome, cell.reasons) for cell in ended.cells] == [
        ("holds", ["0 of 6 violated: under 39.30% at 95%"])
    ]


def test_an_expected_violation_that_is_seen_is_no_failure(tmp_path: Path) -> None:
    """Extra violations of a design that is known to fail are allowed."""
    ended = campaign(tmp_path / "r", "naive", expect={"naive": Expectation(violated=("I-20",))})
    assert ended.exit_code == Exit.HOLDS
    assert ended.cells[0].outcome == "as expected"
    assert ended.cells[0].violated == {"I-20": 3, "I-30": 6}


def test_an_expected_violation_that_is_not_seen_fails(tmp_path: Path) -> None:
    """A storm that no longer hurts the platform that it was made to hurt has failed."""
    ended = campaign(tmp_path / "r", "naive", expect={"naive": Expectation(violated=("I-20", "I-09"))})
    assert ended.exit_code == Exit.VIOLATED
    assert ended.cells[0].outcome == "not violated"
    assert ended.cells[0].reasons == ["expected I-09 to be violated; it held in 6 runs"]


@pytest.mark.parametrize("expect", [{}, {"naive": HOLDS}])
def test_a_violation_that_nobody_expected_fails(tmp_path: Path, expect: dict[str, Expectation]) -> None:
    """Whether the design must hold or nothing was said of it."""
    ended = campaign(tmp_path / "r", "naive", expect=expect)
    assert ended.exit_code == Exit.VIOLATED
    assert ended.cells[0].replay == ["callback_late:naive:2", "callback_late:naive:1"]


def test_a_fault_that_touched_nothing_is_inconclusive(tmp_path: Path) -> None:
    """Silence proves nothing: neither an untouched fault nor a situation never met."""
    ended = campaign(tmp_path / "r", "calm", expect={"calm": HOLDS})
    assert ended.exit_code == Exit.INCONCLUSIVE
    assert ended.cells[0].reasons == [
        "fault 0/channel.callback_delay/wechat touched nothing",
        "never met: query_found_capture",
    ]


def test_an_undecided_verdict_is_inconclusive(tmp_path: Path) -> None:
    """Unknown is never green."""
    ended = campaign(tmp_path / "r", "undecided", expect={"undecided": HOLDS})
    assert ended.exit_code == Exit.INCONCLUSIVE
    assert ended.cells[0].reasons == ["I-05 undecided in 6 of 6"]


def test_a_crashed_checker_breaks_the_campaign_even_where_violations_are_expected(tmp_path: Path) -> None:
    """A checker that crashes is a bug of ours, not a verdict."""
    expect = {"crashed_checker": Expectation(violated=("I-05",))}
    ended = campaign(tmp_path / "r", "crashed_checker", expect=expect)
    assert ended.exit_code == Exit.BROKEN
    assert ended.cells[0].reasons == ["the checker of I-05 crashed in 6 of 6"]


def test_a_run_that_raises_is_broken_and_the_others_go_on(tmp_path: Path) -> None:
    """The traceback is kept with the run."""
    ended = campaign(tmp_path / "r", "fragile", "resilient")
    assert ended.exit_code == Exit.BROKEN
    assert ended.cells[0].reasons == ["seed 3: ZeroDivisionError: the harness broke here"]
    assert ended.cells[0].replay == ["callback_late:fragile:3"]
    runs = list(Results(tmp_path / "r").runs())
    assert len(runs) == 12
    assert "fake_run" in next(run for run in runs if run.outcome == "broken").error


def never_ending(scenario: Scenario, design: str, seed: int) -> FakeResult:
    """Livelock at seed 2, with a broad except around it as some code under test may have."""
    while seed == 2:
        with suppress(Exception):
            sum(range(1000))
    return fake_run(scenario, design, seed)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_never_ends_is_broken_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    """A livelock in virtual time must not hang a campaign."""
    monkeypatch.setattr("chaos.worker.RUN_LIMIT_S", 0.2)
    monkeypatch.setattr("chaos.worker.ORDER_LIMIT_S", 0.0)
    ended = campaign(tmp_path / "r", "resilient", runner=never_ending, jobs=jobs)
    assert ended.exit_code == Exit.BROKEN
    assert ended.cells[0].runs == 6
    assert ended.cells[0].reasons == ["seed 2: chaos.worker.RunHung: no end after 0 s of wall time"]


def _without_times(runs: list[Run]) -> list[Run]:
    return [
        Run(**{**{name: getattr(run, name) for name in Run.__struct_fields__}, "wall_ms": 0}) for run in runs
    ]


def test_two_workers_write_what_one_writes(tmp_path: Path) -> None:
    """Lines, kept failures and samples do not depend on who finished first."""
    for jobs in (1, 2):
        campaign(
            tmp_path / str(jobs),
            "naive",
            "resilient",
            seeds=40,
            jobs=jobs,
            expect={"naive": Expectation(violated=("I-20",))},
        )
    one, two = Results(tmp_path / "1"), Results(tmp_path / "2")
    assert _without_times(list(one.runs())) == _without_times(list(two.runs()))
    assert [(run.design, run.seed) for run in one.runs()] == [
        (design, seed) for design in ("naive", "resilient") for seed in range(1, 41)
    ]
    for folder in ("failures", "samples"):
        assert one.kept(folder) == two.kept(folder) != []


def test_only_the_first_failures_of_each_kind_are_kept_whole(tmp_path: Path) -> None:
    """Three for each scenario, design and invariant; one sample of a run that held."""
    campaign(tmp_path / "r", "naive", "resilient", seeds=600)
    results = Results(tmp_path / "r")
    kept = results.kept("failures")
    assert kept == [f"callback_late-naive-{seed}" for seed in (1, 2, 3, 4, 6)]
    kinds = [results.verdict("failures", run_id)["run"]["verdicts"] for run_id in kept]
    assert sum("I-20" in kind for kind in kinds) == KEPT_FAILURES
    assert [run.failure for run in results.runs() if run.failure] == [
        f"callback_late-naive-{s}" for s in (1, 2, 3, 4, 6)
    ]
    assert results.kept("samples") == ["callback_late-resilient-1"]
    assert results.history("failures", kept[0]).header.seed == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_rarer_way_to_break_the_same_invariant_is_kept_too(tmp_path: Path, jobs: int) -> None:
    """The first of each kind, though three runs of the invariant came before it; its later ones are not."""
    campaign(tmp_path / "r", "two_ways", seeds=60, jobs=jobs)
    results = Results(tmp_path / "r")
    assert [(find.seed, find.kinds) for find in finds(results)] == [
        (1, (Kind("I-20", "lost", "order"),)),
        (30, (Kind("I-20", "twice", "order"),)),
    ]
    kept = [run.seed for run in results.runs() if run.failure]
    assert kept == [1, 2, 3, 30]
    assert results.kept("failures") == sorted(f"callback_late-two_ways-{seed}" for seed in kept)


def test_an_interrupted_campaign_keeps_what_it_has(tmp_path: Path) -> None:
    """Exit 130; every run of the batches before the interrupt can be read."""
    ended = campaign(tmp_path / "r", "resilient", "naive", seeds=8, runner=interrupt_at_five)
    assert ended.exit_code == Exit.INTERRUPTED
    results = Results(tmp_path / "r")
    assert results.campaign.interrupted
    assert not results.campaign.finished
    assert [(run.design, run.seed) for run in results.runs()] == [("resilient", 1), ("naive", 1)]
    assert sum(cell.runs for cell in ended.cells) == 2


def test_an_interrupt_that_python_dropped_is_raised_again() -> None:
    """In a finaliser nobody can catch it, and the campaign would go on as if nothing had been said."""

    class Finalised:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def life() -> None:
        Finalised()
        time.sleep(60)

    with Interrupts().watched(), pytest.raises(KeyboardInterrupt):
        life()


def test_a_world_that_an_interrupt_drops_is_not_told_of(recwarn: pytest.WarningsRecorder) -> None:
    """Python warns of a coroutine that was made and never awaited; after Ctrl-C that is nobody's mistake."""

    async def job() -> None:
        """Never begun."""

    with Interrupts().watched():
        dropped = job()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        del dropped
        gc.collect()
    assert list(recwarn) == []


def test_other_exceptions_that_nobody_can_catch_are_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an interrupt is ours."""

    class Broken:
        def __del__(self) -> None:
            raise LookupError

    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: told.append(args.exc_type))
    with Interrupts().watched():
        Broken()
    assert told == [LookupError]


def test_an_interrupt_while_a_result_is_written_waits_until_it_is_whole() -> None:
    """Counts and lines must never disagree; the interrupt is late, not lost."""
    interrupts = Interrupts()
    written = []

    def write() -> None:
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            written.append("whole")
        written.append("never")

    with interrupts.watched(), pytest.raises(KeyboardInterrupt):
        write()
    assert written == ["whole"]
    with interrupts.watched(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_budget_of_failures_stops_a_campaign(tmp_path: Path) -> None:
    """The failing run is the last of its design; expected violations cost nothing; why it stopped is told."""
    ended = campaign(
        tmp_path / "r",
        "naive",
        "fragile",
        "resilient",
        seeds=60,
        max_failures=1,
        expect={"naive": Expectation(violated=("I-30",))},
    )
    by_design = {cell.design: cell for cell in ended.cells}
    assert by_design["naive"].violated["I-30"] > 0
    assert (by_design["fragile"].outcome, by_design["fragile"].runs) == ("broken", 3)
    assert by_design["resilient"].runs < 60
    assert (ended.finished, ended.exit_code) == (False, Exit.BROKEN)
    assert ended.stopped == "stopped after 1 unexpected failures (--max-failures 1)"


def test_a_directory_that_cannot_take_results_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """A file, a full directory, an old campaign, a place that cannot be written."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("x")
    campaign(tmp_path / "old", "resilient", seeds=1)
    for name, message in [
        ("file", "is a file; name a directory"),
        ("full", "is not empty; name another directory with --out"),
        ("old", "already holds a campaign; name another directory"),
        ("file/below", "cannot be written: Not a directory"),
    ]:
        with pytest.raises(ResultsError, match=message):
            campaign(tmp_path / name, "resilient", seeds=1)


def test_a_directory_of_another_version_is_refused(tmp_path: Path) -> None:
    """Old campaigns are named as such, not misread."""
    campaign(tmp_path / "r", "resilient", seeds=1)
    file = tmp_path / "r" / "campaign.json"
    text = file.read_text("utf-8")
    file.write_text(text.replace('"schema": 1', '"schema": 9'), "utf-8")
    with pytest.raises(
        ResultsError, match=r"written by another version of dingfeng \(schema 9; this one reads 1\)"
    ):
        Results(tmp_path / "r")
    file.write_text(text[:-20], "utf-8")
    with pytest.raises(ResultsError, match="damaged"):
        Results(tmp_path / "r")
    with pytest.raises(ResultsError, match="no such results directory"):
        Results(tmp_path / "nothing")
    with pytest.raises(ResultsError, match="is no results directory"):
        Results(tmp_path)


def test_a_line_cut_off_by_a_kill_is_left_out_but_damage_inside_is_told(tmp_path: Path) -> None:
    """What a kill can do is expected; anything else is not."""
    campaign(tmp_path / "r", "resilient", seeds=3)
    file = tmp_path / "r" / "runs.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    assert [run.seed for run in Results(tmp_path / "r").runs()] == [1, 2]
    file.write_bytes(whole.replace(b'"seed":2', b'"seed":"two"'))
    with pytest.raises(ResultsError, match=r"runs.jsonl:2: not a run"):
        list(Results(tmp_path / "r").runs())


@pytest.mark.parametrize("damage", ["cut", "lost", "doubled"])
def test_runs_of_a_campaign_that_came_to_its_end_are_all_there_once(tmp_path: Path, damage: str) -> None:
    """No kill can have taken a line of it or a part of one; whoever counted them would count wrong."""
    campaign(tmp_path / "r", "resilient", seeds=3)
    file = tmp_path / "r" / "runs.jsonl"
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    file.write_bytes({"cut": whole[:-10], "lost": b"".join(lines[1:]), "doubled": whole + lines[1]}[damage])
    words = "runs.jsonl:4: damaged: a run that is there already" if damage == "doubled" else "has 2 runs, and"
    with pytest.raises(ResultsError, match=words):
        list(Results(tmp_path / "r").all_runs())


def test_statistical_strength_is_exact() -> None:
    """The rule of three is an approximation; 1 − 0.05^(1/n) is what it approximates."""
    assert upper_bound(1) == pytest.approx(0.95)
    assert upper_bound(300) == pytest.approx(0.00993608, abs=1e-8)
    assert (1 - upper_bound(300)) ** 300 == pytest.approx(0.05)
    assert strength(300) == "0 of 300 violated: under 0.99% at 95%"
