"""The command line as a user meets it: real processes, real runs, exit codes, one message for each mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos.results import Results

ROOT = Path(__file__).parent.parent
PLAIN = {**os.environ, "COLUMNS": "100"}


def dingfeng(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "dingfeng.py"), *words]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**PLAIN, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition; fail when it does not come true."""
    deadline_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def group_is_there(group: int) -> bool:
    """Whether a process of this process group lives, or has ended unseen."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def document(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_a_calm_day_holds_on_both_ends_of_the_ladder(tmp_path: Path) -> None:
    """Exit 0, a line for each scenario on each design, results on disk, nothing on standard error."""
    done = dingfeng("run", "calm_trade", "--seeds", "3", "--jobs", "1", "--out", str(tmp_path / "r"))
    assert (done.returncode, done.stderr) == (0, "")
    for design in ("naive", "resilient"):
        assert any(line.split()[:3] == ["calm_trade", design, "holds"] for line in done.stdout.splitlines())
    assert [run.seed for run in Results(tmp_path / "r").runs()] == [1, 2, 3] * 2


def test_a_storm_breaks_naive_and_prints_the_line_that_replays_it(tmp_path: Path) -> None:
    """The printed line, typed in, gives the same history as the campaign saw."""
    done = dingfeng("run", "callback_doubled", "-d", "naive", "--seed", "7", "--out", str(tmp_path / "r"))
    assert "dingfeng replay callback_doubled:naive:7" in done.stdout
    run = next(Results(tmp_path / "r").runs())
    again = dingfeng("replay", "callback_doubled:naive:7", "--json")
    assert again.returncode == 1
    assert document(again)["run"]["digest"] == run.digest
    by_plan = dingfeng("replay", str(tmp_path / "r" / "failures" / "callback_doubled-naive-7"), "--json")
    assert document(by_plan)["same"] is True
    assert document(by_plan)["run"]["verdicts"] == run.verdicts


@pytest.mark.parametrize(("lang", "words"), [("en", "is accounted for"), ("zh", "每一分钱")])
def test_a_replay_is_told_in_plain_words(lang: str, words: str) -> None:
    """What broke, the worst order step by step, what would have saved it; the digest at the end."""
    done = dingfeng("replay", "callback_late:naive:1", "--lang", lang)
    assert (done.returncode, done.stderr) == (1, "")
    assert words in done.stdout
    assert "game-100" in done.stdout
    assert "None" not in done.stdout


@pytest.mark.parametrize("page", ["README.md", "docs/shrink.md"])
def test_a_page_shows_what_the_command_says(page: str, tmp_path: Path) -> None:
    """What a reader types comes out as it is printed there; `…` stands for the rest of a line, or of everything."""
    block = (ROOT / page).read_text("utf-8").partition("\n$ dingfeng ")[2].partition("\n```")[0]
    words, *shown = block.splitlines()
    command = [sys.executable, str(ROOT / "dingfeng.py"), *words.split()]
    done = subprocess.run(
        command, cwd=tmp_path, env=PLAIN, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (1, "")
    said = [line.rstrip() for line in done.stdout.splitlines()]
    if shown[-1] == "…":
        said = [*said[: len(shown) - 1], "…"]
    assert len(shown) == len(said) > 10
    for there, here in zip(shown, said, strict=True):
        assert here == there or (there.endswith("…") and here.startswith(there[:-1]))


def test_json_is_one_document_and_nothing_else(tmp_path: Path) -> None:
    """Machines read standard output; people's progress and table stay away from it."""
    done = dingfeng(
        "run", "calm_trade", "-d", "naive", "--seeds", "2", "--json", "--out", str(tmp_path / "r")
    )
    told = document(done)
    assert told["exit_code"] == done.returncode == 0
    assert [(cell["design"], cell["runs"], cell["outcome"]) for cell in told["cells"]] == [
        ("naive", 2, "holds")
    ]


def test_a_frontier_leaves_data_and_figure(tmp_path: Path) -> None:
    """Exit 1 as something broke; the same in JSON as in the file; the figure beside it."""
    out = tmp_path / "r"
    words = ("--low", "5min", "--high", "10min", "-d", "naive", "--seeds", "1", "--jobs", "1")
    done = dingfeng(
        "frontier", "calm_trade", "--fault", "callback_delay", *words, "--json", "--out", str(out)
    )
    assert done.returncode == 1
    told = document(done)
    assert told.pop("results") == str(out)
    assert told == json.loads((out / "frontier.json").read_text("utf-8"))
    assert "I-30" in [edge["invariant"] for edge in told["rows"][0]["edges"]]
    assert (out / "frontier.svg").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "callback_lat"), "no scenario 'callback_lat'; did you mean 'callback_late'?"),
        (("run", "nowhere/x.yaml"), "nowhere/x.yaml: no such file"),
        (("run", "scenarios/"), "scenarios: is a directory"),
        (("run", "calm_trade", "-d", "naiv"), "no design 'naiv'; did you mean 'naive'?"),
        (
            ("run", "calm_trade", "--seeds", "2", "--seed", "3"),
            "--seeds N runs seeds 1 to N and --seed K runs one",
        ),
        (("run", "calm_trade", "--seeds", "0"), "--seeds"),
        (("run", "calm_trade", "--jobs", "none"), "--jobs"),
        (("run", "calm_trade", "--out", "pyproject.toml"), "pyproject.toml: is a file"),
        (("run", "calm_trade", "--out", "docs"), "docs: is not empty"),
        (("run", "calm_trade", "--out", "pyproject.toml/x"), "cannot be written: Not a directory"),
        (("run", "--sedes", "2"), "No such option: --sedes"),
        (("rnu",), "No such command 'rnu'"),
        (("replay", "calm_trade"), "'calm_trade' is no replay token (scenario:design:seed)"),
        (("replay", "calm_trade:naiv:1"), "no design 'naiv'; did you mean 'naive'?"),
        (("replay", "docs"), "docs/plan.json: cannot be read"),
        (("frontier", "calm_trade", "--fault", "callback_dela"), "did you mean 'callback_delay'?"),
        (("frontier", "calm_trade", "--fault", "callback_delay", "--low", "soon"), "'soon' is no duration"),
        (("report", "nowhere"), "nowhere: no such results directory"),
        (("report", "docs"), "docs: is no results directory"),
        (("report", "README.md"), "README.md: is a file; name a results directory"),
        (("gate", "README.md"), "README.md: is a file; name a results directory"),
        (("shrink", "callback_doubled:naive:1", "--out", "README.md"), "README.md: is a file"),
        (("shrink", "callback_doubled:naive:1", "--out", "docs"), "docs: is not empty"),
        (("shrink", "callback_doubled:naive:1", "--invariant", "I-99"), "no invariant 'I-99'"),
        (("run", "docs"), "no scenario 'docs'; to mean what is here, write ./docs;"),
        (("sweep", "bulk_order", "--out", "docs"), "docs: is a directory; name a file"),
        (("sweep", "bulk_order", "--out", "README.md"), "README.md: exists and is no certificate"),
        (("sweep", "bulk_order", "--out", "README.md/x"), "README.md/x: cannot be written"),
        (("list", "fults"), "fults"),
        (("sweep", "card_ordr"), "no scenario 'card_ordr'; did you mean 'card_order'?"),
        (("sweep", "card_order", "--faults", "node.crush"), "did you mean 'node.crash'?"),
    ],
)
def test_a_mistake_of_the_user_is_one_message_and_exit_2(words: tuple[str, ...], message: str) -> None:
    """No traceback, nothing on standard output, the nearest valid name."""
    done = dingfeng(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_mistake_in_a_scenario_names_file_line_and_field(tmp_path: Path) -> None:
    """The message can be clicked in an editor."""
    text = (
        (ROOT / "scenarios/library/callback_late.yaml")
        .read_text("utf-8")
        .replace("channel: wechat", "channl: wechat")
    )
    file = tmp_path / "callback_late.yaml"
    file.write_text(text, "utf-8")
    line = next(number for number, found in enumerate(text.splitlines(), start=1) if "channl" in found)
    done = dingfeng("run", str(file))
    assert done.returncode == 2
    assert (
        done.stderr == f"dingfeng: {file}:{line}: faults[0].channl: unknown field; did you mean 'channel'?\n"
    )


def test_a_fault_that_touches_nothing_is_inconclusive(tmp_path: Path) -> None:
    """Exit 3: a green result must not come from a storm that never blew."""
    text = (ROOT / "scenarios/library/calm_trade.yaml").read_text("utf-8")
    text = text.replace("timing:", "faults: [{fault: channel.callback_loss, from: 14min 59s}]\ntiming:")
    file = tmp_path / "calm_trade.yaml"
    file.write_text(text, "utf-8")
    done = dingfeng("run", str(file), "-d", "resilient", "--seeds", "2", "--out", str(tmp_path / "r"))
    assert done.returncode == 3
    assert "touched nothing" in done.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_keeps_what_was_done(tmp_path: Path, jobs: str) -> None:
    """Ctrl-C reaches the whole process group; exit 130, every line readable, no worker left behind."""
    out = tmp_path / "r"
    command = [sys.executable, str(ROOT / "dingfeng.py"), "run", "callback_doubled", "--seeds", "100000"]
    process = subprocess.Popen(
        [*command, "--jobs", jobs, "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until(lambda: (out / "runs.jsonl").is_file() and (out / "runs.jsonl").stat().st_size > 0)
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, stderr) == (130, "")
    results = Results(out)
    done = len(list(results.runs()))
    assert done == sum(cell.runs for cell in results.campaign.cells) > 0
    assert results.campaign.interrupted
    kept = "1 run is" if done == 1 else f"{done} runs are"
    assert f"interrupted: {kept} kept in {out}" in stdout
    until(lambda: not group_is_there(process.pid))  # whoever has ended is buried a moment later


def test_names_can_be_listed_in_both_languages() -> None:
    """Everything that a scenario or a command can name."""
    for kind, name, title in [
        ("scenarios", "callback_late", "支付回调迟到"),
        ("designs", "naive", ""),
        ("faults", "channel.callback_delay", ""),
        ("invariants", "I-09", ""),
        ("rules", "K-01", ""),
        ("situations", "make_good_fired", ""),
    ]:
        entries = {
            entry["name"]: entry["title"]
            for entry in document(dingfeng("list", kind, "--json", "--lang", "zh"))
        }
        assert title in entries[name]
        assert all(entries.values())


def test_the_schema_is_json_and_knows_the_faults() -> None:
    """Editors load it as it is printed."""
    schema = document(dingfeng("schema", "scenario"))
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "channel.callback_delay" in json.dumps(schema)


def test_no_colour_unless_somebody_watches(tmp_path: Path) -> None:
    """Piped output has no escape codes, whatever the environment says of the terminal."""
    done = dingfeng(
        "run",
        "calm_trade",
        "-d",
        "naive",
        "--seeds",
        "1",
        "--out",
        str(tmp_path / "r"),
        TERM="xterm-256color",
    )
    assert "\x1b" not in done.stdout + done.stderr


def test_help_answers_at_once_and_without_the_simulator() -> None:
    """Start-up stays fast because heavy modules are imported by the commands that need them."""
    code = (
        "import sys, dingfeng\n"
        "try: dingfeng.app(['--help'])\n"
        "except SystemExit: pass\n"
        "print('HEAVY', [name for name in ('pydantic', 'matplotlib', 'simpy', 'ruamel') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout
    assert "Exit codes" in done.stdout


def test_a_sweep_leaves_a_certificate_that_the_doctor_tries(tmp_path: Path) -> None:
    """Exit 0 on the design that holds; the file passes, and a changed one is refused with exit 2."""
    file = tmp_path / "wallet.json"
    words = ("sweep", "wallet_order", "-k", "1", "--jobs", "1", "--faults", "node.*", "--out", str(file))
    done = dingfeng(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "wallet_order × resilient, up to 1 fault at once: holds" in done.stdout
    tried = dingfeng("doctor", "--certificate", str(file), "--json")
    assert tried.returncode == 0
    assert {finding["good"] for finding in json.loads(tried.stdout)} == {True}
    file.write_text(file.read_text("utf-8").replace('"k": 1', '"k": 4'), "utf-8")
    refused = dingfeng("doctor", "--certificate", str(file))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "wallet.json: damaged" in refused.stderr


def test_the_shipped_policy_lets_the_shipped_design_through(tmp_path: Path) -> None:
    """By the very limits of the gate: these are the varied storms in which orders take longest to settle."""
    out = str(tmp_path / "r")
    storms = ("disclosed_wait", "suspense_ticket")
    assert dingfeng("run", *storms, "-d", "resilient", "--seeds", "8", "--out", out).returncode == 0
    done = dingfeng("gate", out, "--json")
    assert document(done)["violations"] == []
    assert done.returncode == 3  # of eight seeds and two storms, nothing worse


def test_a_sweep_that_finds_something_says_which_faults_and_exits_1(tmp_path: Path) -> None:
    """Stopped at the first violation it certifies nothing, so it writes nothing."""
    file = tmp_path / "naive.json"
    words = ("sweep", "card_order", "-d", "naive", "--faults", "user.double_submit", "--jobs", "1")
    done = dingfeng(*words, "--stop-first", "--out", str(file))
    assert done.returncode == 1
    assert "user.double_submit/u0/k0" in done.stdout
    assert not file.exists()
    whole = dingfeng(*words, "--json")
    assert document(whole)["certificate"]["violated"]


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One line of shell in which $DINGFENG is the command."""
    front_door = f"{sys.executable} {ROOT / 'dingfeng.py'}"
    return subprocess.run(
        ["sh", "-c", line],
        cwd=ROOT,
        env={**PLAIN, "DINGFENG": front_door, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_reader_who_goes_away_changes_no_verdict(tmp_path: Path) -> None:
    """`| head` wants the first lines only; that is no violation, and the exit code stays the campaign's."""
    command = [sys.executable, str(ROOT / "dingfeng.py"), "run", "calm_trade", "-d", "naive", "--seeds", "1"]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "r")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, told = process.communicate(timeout=120)
    assert (process.returncode, told) == (0, "")


@pytest.mark.parametrize(
    "line",
    [
        "$DINGFENG list scenarios >&-",
        "$DINGFENG run calm_trad >&- 2>&-; test $? = 2",
        "PYTHONIOENCODING=latin-1 $DINGFENG list scenarios --lang zh",
        "PYTHONUTF8=0 LC_ALL=C PYTHONCOERCECLOCALE=0 $DINGFENG list scenarios --lang zh",
        "TERM=dumb NO_COLOR=1 COLUMNS=40 $DINGFENG list faults",
    ],
)
def test_an_output_that_is_closed_or_lacks_the_letters_is_no_failure(line: str) -> None:
    """What cannot be shown is shown as a question mark, or not at all."""
    done = shell(line)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_one_message() -> None:
    """Exit 4, since the verdict did not get out; but no bug of ours, so no traceback."""
    done = shell("$DINGFENG list scenarios > /dev/full")
    assert done.returncode == 4
    assert done.stderr == "dingfeng: No space left on device; nothing can be written there\n"


def test_an_interrupt_while_python_still_imports_is_quiet() -> None:
    """Ctrl-C in the first tenths of a second: 130, and no traceback of somebody else's module."""
    code = (
        "import sys, dingfeng_start\n"
        "class Pressed:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "dingfeng_start.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupt_that_comes_out_as_another_error_is_still_one() -> None:
    """While pydantic builds its models it turns Ctrl-C into a SchemaError; any other is a bug, and told as one."""
    code = "import sys, dingfeng, pydantic_core\nsys.exit(dingfeng._explain(pydantic_core.SchemaError({!r})))"
    for message, status in [('Field "after":\n  KeyboardInterrupt: ', 130), ("no such type", 4)]:
        done = subprocess.run(
            [sys.executable, "-c", code.format(message)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert (done.returncode, "harness broke" in done.stderr) == (status, status == 4)


@pytest.mark.parametrize("words", [("-h",), ("run", "-h"), ("schema", "-h"), ("--version",)])
def test_help_and_version_go_by_their_usual_names(words: tuple[str, ...]) -> None:
    """What people try first on a command that they do not know."""
    done = dingfeng(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("Usage" in done.stdout) == (words[-1] == "-h")
    assert "dingfeng" in done.stdout
