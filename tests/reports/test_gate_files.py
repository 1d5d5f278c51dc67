"""What the gate writes: short enough for hosted CI, whole, never over other people's files."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from chaos.results import ResultsError
from chaos.words import texts
from dingfeng import app
from reports.gate import markdown, summary, terminal, writing
from reports.gate.check import KINDS, OUTCOMES, Check
from reports.gate.judging import Decision
from reports.gate.release import release
from reports.gate.sentences import TEXTS, percent
from reports.terminal import console
from scenarios.documents import DocumentError
from tests.reports.gates import KNOWN, joined, judge, keep, owed, run, write
from tests.reports.test_words import fields

PLAIN = "schema: 1\n"


def failing(tmp_path: Path, scenarios: int = 1, seeds: int = 3) -> Decision:
    names = [f"storm_{number:03d}" for number in range(scenarios)]
    path = tmp_path / "r"
    runs = [run(seed, name, violated=("I-01", "I-02")) for name in names for seed in range(seeds)]
    write(path, [keep(path.parent / "kept", one, owed()) if one.seed == 0 else one for one in runs])
    (path.parent / "kept" / "failures").rename(path / "failures")
    return judge(PLAIN, path)


def shown(told: dict[str, Any], lang: str = "en") -> str:
    out = StringIO()
    terminal.show(told, [Path("gate.md")], lang, console(out))
    return out.getvalue()


def test_what_stops_a_release_is_understood_in_a_minute(tmp_path: Path) -> None:
    """One sentence; for each scenario and design who lost what, and the line that replays it."""
    text = shown(summary.of(failing(tmp_path), "en"))
    assert text.splitlines()[0] == "Stopped: 2 demands are violated."
    assert "storm_000 × resilient" in text
    assert "O17 · ann · ¥98.00" in text
    assert "violated in 3 of 3 runs" in text
    assert (
        text.count("dingfeng replay storm_000:resilient:0") + text.count("failures/storm_000-resilient-0")
        == 1
    )
    assert len(text.splitlines()) < 25


def test_a_scenario_that_is_not_shipped_replays_from_its_kept_run(tmp_path: Path) -> None:
    """Its name alone would mean nothing to whoever replays it."""
    (found,) = summary.of(failing(tmp_path), "en")["violations"]
    assert found["replay"] == [
        f"dingfeng replay {tmp_path.resolve() / 'r' / 'failures' / 'storm_000-resilient-0'}"
    ]


def test_at_most_ten_violations_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    """Ten thousand lines help nobody; all of them are in gate.json."""
    decision = failing(tmp_path, scenarios=12, seeds=1)
    told = summary.of(decision, "en")
    assert len(told["violations"]) == 12
    text = markdown.render(told, "en")
    assert text.count("× resilient**") == 10
    assert "2 more in gate.json" in text
    assert "2 more in gate.json" in shown(told)
    assert len(summary.checks(decision, "en")) == len(decision.checks)


def test_the_most_money_comes_first(tmp_path: Path) -> None:
    """Of twelve storms, the dearest is the first that is read."""
    runs = [run(1, f"storm_{n}", violated=("I-01",), amounts_fen={"I-01": n * 100}) for n in range(12)]
    told = summary.of(judge(PLAIN, write(tmp_path / "r", runs)), "en")
    assert [one["scenario"] for one in told["violations"]][:2] == ["storm_11", "storm_10"]


def test_markdown_never_exceeds_a_comment(tmp_path: Path) -> None:
    """65,536 characters, whatever a harness or a user wrote; the first lines stay."""
    text = "é|*`<script>\n" * 20_000
    told = summary.of(failing(tmp_path, scenarios=30, seeds=1), "en")
    for name in ("violations", "doubts", "tolerated"):
        told[name] = [{**one, "reason": text, "also": ["I-01"] * 20_000, "story": text, "scenarios": [text]}
                      for one in (told["violations"] or [])]  # fmt: skip
    rendered = markdown.render(told, "en")
    assert len(rendered) <= markdown.COMMENT_LIMIT
    assert rendered.startswith("# ✗ Stopped")
    assert "<script>" not in rendered.replace("\\<", "")
    told["counts"] = {kind: {"holds": 1} for kind in KINDS for _ in range(3)}
    told["extent"] = text
    told["violations"] = [{**told["violations"][0], "what": text, "where": text}] * 5_000
    assert len(markdown.render(told, "zh")) <= markdown.COMMENT_LIMIT


def test_junit_has_a_case_for_each_scenario_design_and_invariant(tmp_path: Path) -> None:
    """Violated and inconclusive fail, tolerated and held pass, a broken harness is an error."""
    runs = [run(1), run(1, "callback_late", violated=("I-01",)), run(1, design="naive", verdicts={"I-02": "unknown"}),
            run(1, "callback_late", "naive", outcome="broken", error="boom \x00 \x1b[31m")]  # fmt: skip
    policy = PLAIN + "designs: {naive: {}, resilient: {}}\n"
    decision = judge(policy, write(tmp_path / "r", runs))
    writing.write(decision, summary.of(decision, "en"), tmp_path / "out", "en")
    tree = ET.parse(tmp_path / "out" / "junit.xml")
    cases = {(case.get("classname"), str(case.get("name"))[:4]): case for case in tree.iter("testcase")}
    for design, scenario in (
        ("resilient", "calm_trade"),
        ("resilient", "callback_late"),
        ("naive", "calm_trade"),
    ):
        assert {name for place, name in cases if place == f"{design}.{scenario}"} > {
            "I-01",
            "I-02",
            "I-09",
            "K-01",
        }
    failure = cases["resilient.callback_late", "I-01"].find("failure")
    assert failure is not None
    assert "dingfeng replay callback_late:resilient:1" in str(failure.text)
    doubt = cases["naive.calm_trade", "I-02"].find("failure")
    assert doubt is not None
    assert doubt.get("type") == "inconclusive"
    assert cases["resilient.calm_trade", "I-01"].find("failure") is None
    assert next(iter(tree.iter("error"))).get("message", "").startswith("1 run broke the harness")
    assert tree.getroot().get("failures") == str(len(list(tree.iter("failure"))))


def regressed(tmp_path: Path) -> Decision:
    """Two claims that all of forty runs broke and none of the baseline's."""
    broken = [run(seed, violated=("I-01", "I-02")) for seed in range(40)]
    before = write(tmp_path / "old", [run(seed) for seed in range(40)])
    limits = "limits: [{click_to_card: {max: 1h}}, {scenarios: [calm_trade], click_to_card: {max: 2h}}]\n"
    return judge(PLAIN + limits, write(tmp_path / "new", broken), baseline=(before,))


def test_no_two_cases_of_junit_have_the_same_class_and_name(tmp_path: Path) -> None:
    """A CI server that meets a case twice shows one of them: what broke, or that it got worse, or neither."""
    decision = regressed(tmp_path)
    writing.write(decision, summary.of(decision, "en"), tmp_path / "out", "en")
    cases = list(ET.parse(tmp_path / "out" / "junit.xml").iter("testcase"))
    assert len(cases) == len(decision.checks)
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    worse = [
        str(case.get("name"))
        for case in cases
        if str(case.get("name")).startswith("against the baseline: I-0")
    ]
    assert [name[22:26] for name in worse] == ["I-01", "I-02"]
    assert "click to card max (2)" in {case.get("name") for case in cases}


def test_what_got_worse_is_one_finding_for_each_scenario_and_design(tmp_path: Path) -> None:
    """One bug breaks many invariants; told one by one, they would push everything else out of the first ten."""
    told = summary.of(regressed(tmp_path), "en")["violations"]
    assert [(one["kind"], one["names"]) for one in told] == [
        ("holds", ["I-01", "I-02"]),
        ("baseline", ["I-01", "I-02"]),
    ]
    assert told[1]["reason"].startswith("worse than before in 40 and better in 0 of 40 pairs")
    assert told[1]["replay"] == told[0]["replay"] == ["dingfeng replay calm_trade:resilient:0"]


def test_markdown_keeps_what_happened_and_the_replay_line_on_lines_of_their_own(tmp_path: Path) -> None:
    """Two spaces at a line's end, or Markdown would run them together; a space before what broke as well."""
    text = markdown.render(summary.of(failing(tmp_path), "en"), "en")
    item = text[text.index("- **") :].splitlines()[:3]
    assert item[0].endswith(" (also I-02)  ")
    assert item[1].startswith("  O17 · ann · ¥98.00")
    assert item[1].endswith("  ")
    assert item[2].startswith("  `dingfeng replay ")
    assert item[2].endswith("`")
    chinese = markdown.render(summary.of(failing(tmp_path / "zh"), "zh"), "zh")
    assert "（另有 I-02）  \n" in chinese


def test_the_first_lines_count_the_runs_of_gated_designs_only(tmp_path: Path) -> None:
    """What ran on other designs is no evidence here, so it is not to swell the numbers."""
    runs = [run(1), run(2), run(1, design="naive"), run(1, "callback_late", "naive")]
    decision = judge(PLAIN, write(tmp_path / "r", runs, seeds=[1, 2]))
    assert summary.of(decision, "en")["extent"].startswith("2 runs of 1 scenario on resilient;")


def test_json_holds_every_check_and_the_policy(tmp_path: Path) -> None:
    """What a script needs to decide otherwise."""
    told, files = release([write(tmp_path / "r", [run(1)])], KNOWN, policy=policy(tmp_path))
    assert [file.name for file in files] == ["gate.json", "junit.xml", "gate.md"]
    document = json.loads(files[0].read_text("utf-8"))
    assert document["exit_code"] == told["exit_code"] == 0
    assert len(document["checks"]) == sum(sum(row.values()) for row in document["counts"].values())
    assert document["policy"]["schema"] == 1


def policy(tmp_path: Path, text: str = PLAIN) -> Path:
    path = tmp_path / "gate.yaml"
    path.write_text(text, "utf-8")
    return path


def test_wrong_input_changes_nothing(tmp_path: Path) -> None:
    """A policy, results or a baseline that cannot be used: the verdict of yesterday stays as it was."""
    good = write(tmp_path / "r", [run(1)])
    _, files = release([good], KNOWN, policy=policy(tmp_path))
    before = {file: file.read_bytes() for file in files}
    damaged = write(tmp_path / "damaged", [run(1)])
    (damaged / "runs.jsonl").write_text('{"scenario": 1}\n')
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("schema: 1\ndesigns: {resilent: {}}\n", "utf-8")
    demanded = policy(tmp_path)
    attempts: list[dict[str, Any]] = [
        {"results": [good], "policy": wrong},
        {"results": [good, damaged], "policy": demanded},
        {"results": [good], "policy": demanded, "baseline": [foreign]},
        {"results": [good], "policy": demanded, "baseline": [damaged]},
        {"results": [good], "policy": demanded, "certificates": [demanded]},
        {"results": [good], "policy": tmp_path / "none.yaml"},
    ]
    for attempt in attempts:
        with pytest.raises((ResultsError, DocumentError)):
            release(attempt.pop("results"), KNOWN, **attempt)
    assert {file: file.read_bytes() for file in files} == before
    assert sorted(path.name for path in (good / "gate").iterdir()) == sorted(writing.FILES)


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    """--out takes a new or empty directory, or one that the gate itself has filled."""
    good = write(tmp_path / "r", [run(1)])
    with pytest.raises(ResultsError, match="holds other files"):
        release([good], KNOWN, policy=policy(tmp_path), out=good)
    with pytest.raises(ResultsError, match="is a file"):
        release([good], KNOWN, policy=policy(tmp_path), out=good / "runs.jsonl")
    out = tmp_path / "out"
    for _ in range(2):
        release([good], KNOWN, policy=policy(tmp_path), out=out)
    assert joined(good).runs == 1


def test_the_command_ends_with_what_the_gate_says(tmp_path: Path) -> None:
    """Exit 1 for a violation, one JSON document on request, the schema for editors."""
    command = CliRunner()
    path = write(tmp_path / "r", [run(1, violated=("I-09",))])
    done = command.invoke(app, ["gate", str(path), "--json", "--out", str(tmp_path / "out")])
    document = json.loads(done.stdout)
    assert (done.exit_code, document["exit_code"], document["violations"][0]["names"]) == (1, 1, ["I-09"])
    told = command.invoke(app, ["gate", str(path), "--policy", str(policy(tmp_path))])
    assert (told.exit_code, "dingfeng replay calm_trade:resilient:1" in told.stdout) == (1, True)
    assert json.loads(command.invoke(app, ["schema", "gate"]).stdout)["title"] == "dingfeng gate policy"


def test_a_gate_that_checked_nothing_is_not_green() -> None:
    """Silence is no proof."""
    from reports.gate.check import worst

    assert worst([]) == "inconclusive"
    assert worst([Check("runs", "x", "tolerated", "ran")]) == "holds"


@pytest.mark.parametrize("key", sorted(texts(TEXTS)))
def test_both_languages_say_the_same(key: str) -> None:
    """Neither language leaves out a number that the other tells."""
    entry = texts(TEXTS)[key]
    assert set(entry) == {"en", "zh"}
    assert fields(entry["en"]) == fields(entry["zh"])


def test_every_kind_and_outcome_has_words() -> None:
    """In the table and in the files."""
    known = texts(TEXTS)
    assert {f"kind.{kind}" for kind in KINDS} | {f"stands.{outcome}" for outcome in OUTCOMES} <= set(known)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_speaks_both_languages(tmp_path: Path, lang: str) -> None:
    """Terminal and Markdown."""
    told = summary.of(failing(tmp_path), lang)
    assert ("拦下的原因" in markdown.render(told, lang)) == (lang == "zh")
    assert ("放行" in shown(told, lang)) == (lang == "zh")


@pytest.mark.parametrize(
    ("share", "rounding", "text"),
    [(0.0099691, "ROUND_CEILING", "0.997%"), (0.95, "ROUND_HALF_EVEN", "95%"), (0.00996, "ROUND_FLOOR", "0.996%"),
     (1, "ROUND_FLOOR", "100%"), (0, "ROUND_FLOOR", "0%"), (1e9, "ROUND_FLOOR", ">10000%"), (1e-7, "ROUND_CEILING", "0.00001%")],
)  # fmt: skip
def test_shares_are_rounded_so_that_what_is_said_stays_true(share: float, rounding: str, text: str) -> None:
    """A bound is never told tighter than it is."""
    assert percent(share, rounding) == text
