"""`hunt`, and tokens of varied runs, at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chaos import swarm
from chaos.run import run
from scenarios import loading
from tests.test_front_door import dingfeng


def told(*words: str) -> tuple[int, Any]:
    done = dingfeng(*words, "--json")
    return done.returncode, json.loads(done.stdout)


def test_a_find_is_told_in_words_and_its_line_replays_it(tmp_path: Path) -> None:
    """Exit 1; the token printed gives the storm that the hunt met."""
    done = dingfeng("hunt", "-d", "naive", "--runs", "20", "-j", "1", "--out", str(tmp_path / "h"))
    assert (done.returncode, done.stderr) == (1, "")
    token = done.stdout.split("dingfeng replay ")[1].split()[0]
    assert token.startswith("hunt:naive:")
    code, document = told("replay", token)
    assert code == 1
    assert document["run"]["digest"] == swarm.run_seed(swarm.pool(), "naive", int(token[11:])).digest


def test_a_hunt_that_finds_nothing_says_how_much_it_looked_at(tmp_path: Path) -> None:
    """Exit 0, and where to go on."""
    code, document = told("hunt", "--runs", "5", "--from", "11", "-j", "1", "--out", str(tmp_path / "h"))
    assert (code, document["runs"], document["finds"], document["next_seed"]) == (0, 5, [], 16)
    assert 1 <= document["behaviours"] <= 5


@pytest.mark.parametrize("words", [("--invariant", "I-99"), ("-d", "nave")])
def test_an_unknown_name_is_wrong_input(words: tuple[str, str], tmp_path: Path) -> None:
    """Exit 2 before anything is run or written."""
    done = dingfeng("hunt", *words, "--out", str(tmp_path / "h"))
    assert done.returncode == 2
    assert words[1] in done.stderr
    assert not (tmp_path / "h").exists()


def test_an_even_seed_replays_varied_and_as_written_when_asked() -> None:
    """The short token is what campaigns run; `:plain` is the file's own storm."""
    _, varied = told("replay", "callback_late:naive:6")
    _, plain = told("replay", "callback_late:naive:6:plain")
    scenario = loading.load("callback_late")
    assert varied["run"]["digest"] == swarm.run_seed(scenario, "naive", 6).digest
    assert plain["run"]["digest"] == run(scenario, "naive", 6).digest != varied["run"]["digest"]


def test_a_plain_campaign_prints_tokens_that_replay_it(tmp_path: Path) -> None:
    """With `--plain` an even seed is run as written, and its line says so."""
    out = tmp_path / "r"
    done = dingfeng("run", "callback_late", "-d", "naive", "--seed", "6", "--plain", "--out", str(out))
    assert "dingfeng replay callback_late:naive:6:plain" in done.stdout
    line = json.loads((out / "runs.jsonl").read_text().splitlines()[0])
    assert line["digest"] == run(loading.load("callback_late"), "naive", 6).digest
