"""`dingfeng shrink` as a user meets it: real processes, files that replay, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

import dingfeng as front_door

ROOT = Path(__file__).parents[3]


def dingfeng(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "dingfeng.py"), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def shrunk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The directory of a shrunk case, and what the terminal said of it."""
    out = tmp_path_factory.mktemp("shrunk") / "case"
    done = dingfeng("shrink", "callback_doubled:planted.each_notice_counts:1", "--out", str(out))
    assert (done.returncode, done.stderr) == (1, "")
    return out, done.stdout


def test_it_says_how_small_what_happens_where_a_passing_run_parts_and_how_to_replay(
    shrunk: tuple[Path, str],
) -> None:
    """One screen: the size, the storm, the story, the difference, the lines to paste."""
    out, said = shrunk
    assert "1 fault, 1 order, in " in said
    assert "On resilient the same case holds." in said
    assert "First difference from the same case on resilient" in said
    assert "payment received" in said
    assert f"dingfeng replay {out}" in said
    assert "None" not in said


def test_the_directory_holds_case_test_and_story(shrunk: tuple[Path, str]) -> None:
    """Everything that a developer needs, and the numbers as data."""
    out, _ = shrunk
    assert sorted(path.name for path in out.iterdir()) == [
        "history.jsonl",
        "plan.json",
        "shrink.json",
        "story.md",
        "test_callback_doubled_i23.py",
        "verdict.json",
    ]
    data = json.loads((out / "shrink.json").read_text("utf-8"))
    assert (data["invariant"], data["after"], data["fixpoint"]) == ("I-23", {"faults": 1, "orders": 1}, True)
    assert data["strongest"] == {"design": "resilient", "violated": []}
    assert "| the failing run | the passing run |" in (out / "story.md").read_text("utf-8")


def test_directory_and_token_replay_the_same_failure(shrunk: tuple[Path, str]) -> None:
    """By its files, and by one pasted word without any file."""
    out, _ = shrunk
    by_files = dingfeng("replay", str(out), "--json")
    assert by_files.returncode == 1
    assert json.loads(by_files.stdout)["same"] is True
    token = json.loads((out / "shrink.json").read_text("utf-8"))["token"]
    by_token = dingfeng("replay", token, "--json")
    digests = [json.loads(done.stdout)["run"]["digest"] for done in (by_files, by_token)]
    assert digests[0] == digests[1]


def test_a_shrunk_case_is_a_kept_run_and_shrinks_no_further(shrunk: tuple[Path, str], tmp_path: Path) -> None:
    """Its directory is taken as any failure's; the story is told in Chinese if asked."""
    out, _ = shrunk
    again = dingfeng("shrink", str(out), "--out", str(tmp_path / "again"), "--lang", "zh")
    assert again.returncode == 1
    assert "1 个故障，1 个订单" in again.stdout
    assert "失败的运行" in again.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("callback_doubled:resilient:1",), "nothing is violated in this run"),
        (("callback_doubled:naive:1", "--invariant", "I-31"), "I-31 is not violated in this run"),
        (("callback_doubled:naiv:1",), "no design 'naiv'; did you mean 'naive'?"),
        (("df1.abcd",), "a damaged replay token"),
        (("nothing",), "is no replay token"),
        (("callback_doubled:naive:1", "--out", "docs"), "docs: is not empty"),
    ],
)
def test_a_mistake_is_one_message_and_exit_2(
    words: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What does not fail, does not exist, or cannot be written."""
    monkeypatch.setattr(sys, "argv", ["dingfeng", "shrink", *words])
    with pytest.raises(SystemExit) as left:
        front_door.main()
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert message in said
    assert said.count("\n") == 1


def test_ctrl_c_keeps_the_smallest_so_far(tmp_path: Path) -> None:
    """Exit 130, and the directory is there."""
    out = tmp_path / "case"
    script = (
        "import os, signal, sys; sys.path.insert(0, '.'); from chaos.shrink.trials import Trials; show = Trials._show\n"
        "def shown(self):\n"
        "    if self.runs == 6: os.kill(os.getpid(), signal.SIGINT)\n"
        "    show(self)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # background shells start us deaf to it\n"
        "Trials._show = shown; import dingfeng; sys.argv[1:] = sys.argv[2:]; dingfeng.main()"
    )
    command = [sys.executable, "-c", script, "x", "shrink", "callback_doubled:naive:1", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 128 + signal.SIGINT
    assert "interrupted; this is the smallest so far" in done.stdout
    assert json.loads((out / "shrink.json").read_text("utf-8"))["interrupted"] is True


def test_progress_is_drawn_on_a_terminal_only(shrunk: tuple[Path, str], tmp_path: Path) -> None:
    """Without a terminal standard error stays empty (see the fixture); with one it shows runs and what is left."""
    assert shrunk
    pty = pytest.importorskip("pty", reason="pseudo-terminals are a POSIX thing")
    master, slave = pty.openpty()
    words = ("shrink", "callback_late:naive:1", "--json", "--out", str(tmp_path / "case"))
    command = [sys.executable, str(ROOT / "dingfeng.py"), *words]
    drawn: list[bytes] = []

    def watch() -> None:  # all the time: a terminal that nobody reads makes who draws on it wait
        with suppress(OSError):  # the last who could draw has gone
            while piece := os.read(master, 1 << 16):
                drawn.append(piece)

    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=slave, text=True) as process:
        os.close(slave)
        watching = threading.Thread(target=watch)
        watching.start()
        try:
            out, _ = process.communicate(timeout=240)
        finally:
            process.kill()
            watching.join()
            os.close(master)
    assert json.loads(out)["fixpoint"] is True
    assert "orders left" in b"".join(drawn).decode()
