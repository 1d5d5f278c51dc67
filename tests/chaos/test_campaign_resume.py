"""Campaigns that are killed at any moment and taken up again: nothing lost, nothing run twice, the same result."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chaos.campaign import conduct
from chaos.results import Results, ResultsError
from chaos.results_writer import Writer
from chaos.resume import agree, taken_up
from tests.chaos.paced import contents, get_stuck, order, ran

ROOT = Path(__file__).parent.parent.parent
RUNS = 80
MOMENTS = 24


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a kill finds some written, some under way and some not begun."""
    monkeypatch.setattr("chaos.schedule.BATCH_S", 0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same campaign, left in peace."""
    place = tmp_path_factory.mktemp("undisturbed")
    conduct(order(place / "r", place / "log"))
    return contents(place / "r")


def begin(out: Path, log: Path, jobs: int, sabotage: Callable[[], None] | None = None) -> Any:
    """A campaign in a process of its own."""

    def work() -> None:
        if sabotage is not None:
            sabotage()
        conduct(order(out, log, jobs))

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def finish(out: Path, log: Path, jobs: int) -> None:
    """Take the campaign up again, here."""
    deadline = time.monotonic() + 60
    while True:
        try:
            conduct(taken_up(out, order(out, log).runner, jobs, "local"))
        except ResultsError as error:  # the kernel lets go of a killed process's lock a moment later
            if "another dingfeng" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def recorded(out: Path) -> list[str]:
    return [f"{run.design}:{run.seed}" for run in Results(out).runs()]


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_campaign_killed_at_any_moment_ends_as_if_it_had_not_been(
    tmp_path: Path, undisturbed: dict[str, Any], moment: int
) -> None:
    """kill -9 after a random number of runs and a random instant more, with one worker and with two."""
    random = Random(moment)
    out, log = tmp_path / "r", tmp_path / "log"
    jobs = 1 + moment % 2
    after = random.randrange(1, RUNS - 6)
    get_stuck(log, after + 4)
    process = begin(out, log, jobs)
    while len(ran(log)) < after:
        assert process.is_alive()
        time.sleep(0.0005)
    time.sleep(random.uniform(0, 0.006))
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    written = recorded(out)
    again = tmp_path / "again"
    finish(out, again, 1 + (moment // 2) % 2)
    assert contents(out) == undisturbed
    assert not set(ran(again)) & set(written)
    assert len(ran(again)) == RUNS - len(written)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("step", ["keep", "append", "arrange", "drop_others", "save", "close"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_each_step_of_writing_is_survived(
    tmp_path: Path, undisturbed: dict[str, Any], step: str, when: str
) -> None:
    """Between artefacts and line, between sorting and the last word: the directory is never half of anything."""
    out, log = tmp_path / "r", tmp_path / "log"
    real = getattr(Writer, step)

    def sabotage() -> None:
        calls = iter(range(100))

        def fatal(self: Writer, *words: Any) -> Any:
            last = next(calls) >= (2 if step in ("keep", "append") else 1 if step == "save" else 0)
            if last and when == "before":
                die()
            answer = real(self, *words)
            if last:
                die()
            return answer

        setattr(Writer, step, fatal)

    process = begin(out, log, 1, sabotage)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    finish(out, tmp_path / "second", 1)
    assert contents(out) == undisturbed


def test_a_line_torn_by_a_kill_is_run_again_and_damage_is_refused(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    """What a kill can do is repaired; anything else is told, and the file is left as it is."""
    out, log = tmp_path / "r", tmp_path / "log"
    conduct(order(out, log))
    file = out / "runs.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-30])
    finish(out, tmp_path / "second", 1)
    assert ran(tmp_path / "second") == ["resilient:40"]
    assert contents(out) == undisturbed
    lines = whole.splitlines(keepends=True)
    for damaged, message in [
        (whole.replace(b'"seed":2,', b'"seed":"two",', 1), r"runs.jsonl:2: not a run"),
        (
            whole.replace(b'"design":"naive"', b'"design":"outbox"', 1),
            r"runs.jsonl:1: not a run of this campaign",
        ),
        (whole + lines[4], r"runs.jsonl:81: damaged: a run that is there already"),
    ]:
        file.write_bytes(damaged)
        with pytest.raises(ResultsError, match=message):
            taken_up(out, order(out, log).runner, 1, "local")
        assert file.read_bytes() == damaged


@pytest.mark.parametrize("gone", [("naive", 1, 2), ("resilient", 1, 2), ("resilient", 9, 10)])
def test_what_is_missing_before_what_is_there_takes_its_place(
    tmp_path: Path, undisturbed: dict[str, Any], gone: tuple[str, int, int]
) -> None:
    """With several workers a kill may leave later runs and lack earlier ones, of which some are to be kept whole.

    What was kept in their stead, here a fourth of its kind, goes.
    """
    out, log = tmp_path / "r", tmp_path / "log"
    conduct(order(out, log))
    design, *seeds = gone
    lines = (out / "runs.jsonl").read_bytes().splitlines(keepends=True)
    left = [
        line
        for line in lines
        if not any(f'"design":"{design}","seed":{seed},'.encode() in line for seed in seeds)
    ]
    assert len(left) == len(lines) - 2
    late = next(line for line in left if b'"design":"resilient","seed":36,' in line)
    early = late.replace(b'"failure":""', b'"failure":"callback_late-resilient-36"')
    assert early != late
    (out / "runs.jsonl").write_bytes(b"".join(left).replace(late, early))
    (out / "failures" / "callback_late-resilient-36").mkdir()
    (out / "failures" / "callback_late-resilient-36" / "plan.json").write_text("{}", "utf-8")
    for seed in seeds:
        for folder in ("failures", "samples"):
            shutil.rmtree(out / folder / f"callback_late-{design}-{seed}", ignore_errors=True)
    for _ in range(2):
        finish(out, tmp_path / "again", 1)
    assert sorted(ran(tmp_path / "again")) == sorted(f"{design}:{seed}" for seed in seeds)
    assert contents(out) == undisturbed


def test_a_finished_campaign_is_left_as_it_is(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """Nothing is missing, so nothing is run."""
    out = tmp_path / "r"
    conduct(order(out, tmp_path / "log"))
    finish(out, tmp_path / "second", 1)
    assert ran(tmp_path / "second") == []
    assert contents(out) == undisturbed


def test_what_would_mix_results_is_refused(tmp_path: Path) -> None:
    """Another version of the code or a package, another schema; the directory is not touched."""
    out = tmp_path / "r"
    conduct(order(out, tmp_path / "log", seeds=2))
    file = out / "campaign.json"
    campaign = json.loads(file.read_text("utf-8"))
    changes: list[tuple[dict[str, Any], str]] = [
        (
            {"versions": {**campaign["versions"], "code": "0"}},
            r"results would mix: code 0, here [0-9a-f]{12}",
        ),
        ({"versions": {**campaign["versions"], "simpy": "1.0"}}, "simpy 1.0, here 4"),
        ({"runner": "Hunter()"}, r"made by Hunter\(\), those of this command are by run_slowly"),
        ({"schema": 9}, "written by another version of dingfeng"),
        ({"scenarios": {"callback_late": {}}}, r"campaign.json: damaged"),
    ]
    for changed, message in changes:
        text = json.dumps({**campaign, **changed})
        file.write_text(text, "utf-8")
        with pytest.raises(ResultsError, match=message):
            taken_up(out, order(out, tmp_path / "log").runner, 1, "local")
        assert file.read_text("utf-8") == text


def test_what_is_named_beside_the_directory_must_be_in_it(tmp_path: Path) -> None:
    """Other scenarios, designs or seeds are a mistake, not a wish."""
    out = tmp_path / "r"
    conduct(order(out, tmp_path / "log", seeds=2))
    again = taken_up(out, order(out, tmp_path / "log").runner, 1, "local")
    agree(again, again.scenarios, ["resilient", "naive"], [1, 2])
    agree(again, [], [], [])
    other = again.scenarios[0].model_copy(update={"sometimes": ("query_found_capture",)})
    for scenarios, designs, seeds, message in [
        ([other], [], [], "its scenarios are others than those named: callback_late"),
        ([], ["naive"], [], "its designs are naive, resilient"),
        ([], [], [1, 2, 3], "its seeds are 1 to 2"),
    ]:
        with pytest.raises(ResultsError, match=message):
            agree(again, scenarios, designs, seeds)


def test_artefacts_are_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """What was begun has another name, and is swept away by whoever takes the directory up."""
    out = tmp_path / "r"
    conduct(order(out, tmp_path / "log", seeds=2))
    writer = Writer(out)
    torn: dict[str, Any] = {"history.jsonl": b"{}", "plan.json": None}
    with pytest.raises(TypeError):
        writer.keep("failures", "callback_late-naive-9", torn)
    writer.close()
    kept = Results(out).kept("failures")
    assert "callback_late-naive-9" not in kept
    Writer(out).close()
    assert Results(out).kept("failures") == ["callback_late-naive-1", "callback_late-naive-2"]


def test_only_one_process_writes_a_directory(tmp_path: Path) -> None:
    """Two that take up the same campaign would run everything twice."""
    out = tmp_path / "r"
    conduct(order(out, tmp_path / "log", seeds=2))
    first = Writer(out)
    with pytest.raises(ResultsError, match="another dingfeng is writing here"):
        Writer(out)
    first.close()
    Writer(out).close()


def test_a_spent_budget_stays_spent_until_it_is_raised(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """Taking a campaign up does not forget why it was stopped."""
    out, log = tmp_path / "r", tmp_path / "log"
    ended = conduct(order(out, log, max_failures=2))
    assert ended.stopped
    made = len(ran(log))
    assert made < RUNS
    assert conduct(taken_up(out, order(out, log).runner, 1, "local")).stopped
    assert len(ran(log)) == made
    ended = conduct(taken_up(out, order(out, log).runner, 1, "local", 1000))
    assert (ended.finished, ended.stopped) == (True, "")
    assert len(ran(log)) == RUNS
    whole = contents(out)
    assert whole["campaign.json"]["max_failures"] == 1000
    whole["campaign.json"]["max_failures"] = None
    assert whole == undisturbed


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the code: three processes must find the same, whatever is edited meanwhile."""
    place = tmp_path / "installed"
    place.mkdir()
    for package in ("chaos", "reference_platform", "reports", "scenarios", "sim"):
        shutil.copytree(ROOT / package, place / package)
    for module in ROOT.glob("dingfeng*.py"):
        shutil.copy2(module, place)
    return place


STUCK = """
import threading
import dingfeng
from chaos.results_writer import Writer

append, lines = Writer.append, []

def stuck(self, *words):
    if len(lines) == 2:
        threading.Event().wait()
    lines.append(words)
    return append(self, *words)

Writer.append = stuck
dingfeng.main()
"""  # the command, whose third batch is never written: there is time to kill it


def test_the_command_takes_up_what_was_killed(tmp_path: Path, installed: Path) -> None:
    """Real storms, real processes; the workers of a killed campaign end with it."""
    out, whole = tmp_path / "r", tmp_path / "whole"
    (installed / "stuck.py").write_text(STUCK, "utf-8")
    command = [sys.executable, str(installed / "dingfeng.py"), "run"]
    words = ["callback_late", "-d", "naive", "-d", "resilient", "--seeds", "40", "--jobs", "2"]
    process = subprocess.Popen(
        [sys.executable, str(installed / "stuck.py"), "run", *words, "--out", str(out)],
        cwd=installed,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    try:
        while not (out / "runs.jsonl").is_file() or not (out / "runs.jsonl").stat().st_size:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    assert 0 < len(recorded(out)) < 80
    while True:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    again = subprocess.run(
        [*command, "--resume", str(out)], cwd=installed, capture_output=True, text=True, check=False
    )
    assert (again.returncode, again.stderr) == (0, "")
    subprocess.run([*command, *words, "--out", str(whole)], cwd=installed, capture_output=True, check=True)
    assert contents(out) == contents(whole)
