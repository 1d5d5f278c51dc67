"""A scenario that dingfeng does not ship: every line that it prints to be typed again names the file and works."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chaos.results import Results
from scenarios.loading import LIBRARY

ROOT = Path(__file__).parent.parent


def dingfeng(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "dingfeng.py"), *words]
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def replayed(line: str, cwd: Path) -> Any:
    """Type a printed line into a shell, and read what it says."""
    command, *words = shlex.split(line)
    assert command == "dingfeng"
    return json.loads(dingfeng(*words, "--json", cwd=cwd).stdout)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory with one storm, in a folder whose name has a blank."""
    (tmp_path / "our storms").mkdir()
    text = (LIBRARY / "callback_doubled.yaml").read_text("utf-8")
    own = text.replace("name: callback_doubled", "name: my_storm", 1)
    (tmp_path / "our storms" / "my_storm.yaml").write_text(own, "utf-8")
    return tmp_path


def test_the_line_that_a_run_prints_replays_the_storm_of_a_file(shop: Path) -> None:
    """Exit 1 with a line that names the path, quoted for a shell, and comes to the same history."""
    done = dingfeng("run", "our storms/my_storm.yaml", "-d", "naive", "--seed", "7", "--out", "r", cwd=shop)
    lines = [line.strip() for line in done.stdout.splitlines() if "dingfeng replay" in line]
    assert lines == ["dingfeng replay 'our storms/my_storm.yaml:naive:7'"]
    run = next(Results(shop / "r").runs())
    assert replayed(lines[0], shop)["run"]["digest"] == run.digest


def test_report_and_gate_name_the_file_too(shop: Path) -> None:
    """The page, the summary, JUnit and the gate say the same line."""
    dingfeng("run", "our storms/my_storm.yaml", "-d", "naive", "--seed", "7", "--out", "r", cwd=shop)
    assert dingfeng("report", "r", cwd=shop).returncode == 0
    (shop / "gate.yaml").write_text("schema: 1\ndesigns: {naive: {}}\n", "utf-8")
    assert dingfeng("gate", "r", "--policy", "gate.yaml", cwd=shop).returncode == 1
    line = "dingfeng replay 'our storms/my_storm.yaml:naive:7'"
    summary = json.loads((shop / "r" / "summary.json").read_text("utf-8"))
    assert {finding["replay"] for finding in summary["findings"]} == {line}
    assert "our storms/my_storm.yaml:naive:7" in (shop / "r" / "report.html").read_text("utf-8")
    for file in ("gate/junit.xml", "gate/gate.md"):
        assert line in (shop / "r" / file).read_text("utf-8"), file
    told = json.loads((shop / "r" / "gate" / "gate.json").read_text("utf-8"))
    assert {one for violation in told["violations"] for one in violation["replay"]} == {line}


def test_a_resumed_campaign_still_knows_the_file(shop: Path) -> None:
    """What a user typed in the first session is in the results."""
    dingfeng("run", "our storms/my_storm.yaml", "-d", "naive", "--seed", "7", "--out", "r", cwd=shop)
    done = dingfeng("run", "--resume", "r", cwd=shop)
    assert "dingfeng replay 'our storms/my_storm.yaml:naive:7'" in done.stdout


def test_a_changed_copy_of_a_shipped_storm_is_replayed_as_the_copy(shop: Path) -> None:
    """Its name is that of a shipped one, so only the path says which is meant."""
    text = (LIBRARY / "callback_doubled.yaml").read_text("utf-8")
    (shop / "callback_doubled.yaml").write_text(text.replace("orders: ", "orders: 1", 1), "utf-8")
    done = dingfeng("run", "callback_doubled.yaml", "-d", "naive", "--seed", "7", "--out", "r", cwd=shop)
    assert "  dingfeng replay ./callback_doubled.yaml:naive:7" in done.stdout.splitlines()
    run = next(Results(shop / "r").runs())
    assert replayed("dingfeng replay ./callback_doubled.yaml:naive:7", shop)["run"]["digest"] == run.digest
