"""The templates for hosted CI, run as they stand: their own commands, in an empty directory, with few seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = ROOT / "docs" / "ci"

EASY = "schema: 1\nscenarios: [calm_trade]\nviolation_rate: {below: 95%}\n"
"""A policy that two seeds can satisfy."""
STRICT = EASY.replace("95%", "1%")
BROKEN = "schema: 1\ndesigns: {resilent: {}}\n"


def template(name: str) -> Any:
    return YAML(typ="safe").load((TEMPLATES / name).read_text("utf-8"))


def github() -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Variables, and (condition, command) of each step that runs one."""
    document = template("github-actions.yml")
    steps = [step for step in document["jobs"]["gate"]["steps"] if "run" in step]
    return {name: str(value) for name, value in document["env"].items()}, [
        (step.get("if", ""), step["run"]) for step in steps
    ]


def gitlab() -> tuple[dict[str, str], list[tuple[str, str]]]:
    job = template("gitlab-ci.yml")["storm"]
    return job["variables"], [("", command) for command in [*job["before_script"], *job["script"]]]


CI = {"github": github, "gitlab": gitlab}


def play(ci: str, directory: Path, policy: str) -> tuple[int, dict[str, str]]:
    """Run the steps as the server would: stop at the first that fails, but for those that run always."""
    variables, steps = CI[ci]()
    binaries = directory / "bin"
    binaries.mkdir()
    shim = binaries / "dingfeng"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "dingfeng.py"}" "$@"\n')
    shim.chmod(0o755)
    work = directory / "work"
    work.mkdir()
    (work / "gate.yaml").write_text(policy)
    summary = directory / "summary.md"
    environment = {
        **os.environ, **variables, "SEEDS": "2", "STORMS": "calm_trade", "GITHUB_STEP_SUMMARY": str(summary),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    assert any("pip install" in command for _, command in steps)
    code = 0
    for condition, command in steps:
        if "pip install" in command or (code and not condition):
            continue  # what is tested is already installed
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", command],
            cwd=work, env=environment, check=False, timeout=300, capture_output=True, text=True,
        )  # fmt: skip
        code = code or done.returncode
    found = {
        str(path.relative_to(work)): path.read_text("utf-8") for path in work.glob("out/candidate/gate/*")
    }
    if summary.exists():
        found["summary"] = summary.read_text("utf-8")
    return code, found


@pytest.mark.parametrize("ci", CI)
def test_a_template_runs_storms_and_gates_them(ci: str, tmp_path: Path) -> None:
    """The commands run as they are written, and leave the files that the server picks up."""
    code, files = play(ci, tmp_path, EASY)
    decision = json.loads(files["out/candidate/gate/gate.json"])
    assert (code, decision["exit_code"]) == (0, 0), decision["violations"] + decision["doubts"]
    assert files["out/candidate/gate/junit.xml"].startswith("<testsuites")
    if ci == "github":
        assert files["summary"] == files["out/candidate/gate/gate.md"]
    else:
        assert template("gitlab-ci.yml")["storm"]["artifacts"]["reports"]["junit"] in files


def test_a_template_fails_when_the_gate_does(tmp_path: Path) -> None:
    """Two seeds do not prove 1%: the job ends with 3, and the summary is shown all the same."""
    code, files = play("github", tmp_path, STRICT)
    assert code == 3
    assert "needs 299 clean runs, has 2" in files["summary"]


def test_a_template_fails_for_a_policy_that_is_wrong(tmp_path: Path) -> None:
    """Exit 2, and nothing was written that could be taken for a verdict."""
    code, files = play("gitlab", tmp_path, BROKEN)
    assert (code, files) == (2, {})


def test_the_templates_run_what_the_shipped_policy_asks_for() -> None:
    """The whole library, and 299 seeds: a number that is not to be typed twice without a check."""
    assert {CI[ci]()[0]["STORMS"] for ci in CI} == {""}
    from reports.gate.strength import needed

    assert {CI[ci]()[0]["SEEDS"] for ci in CI} == {str(needed(0, 0.01, 0.95))}
