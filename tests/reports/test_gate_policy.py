"""The gate's policy: every mistake is one message with file, line, field and the nearest valid name."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from chaos import vocabulary
from chaos.sweep import vocabulary as swept_with
from reports.gate.checking import DEFAULT, Known, load, parse
from reports.gate.policy import json_schema
from scenarios.documents import DocumentError
from scenarios.loading import journeys, library
from tests.reports.gates import KNOWN, certificate

HEAD = "schema: 1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("designs: {resilent: {}}", "x.yaml:2: designs.resilent: no design 'resilent'; did you mean 'resilient'?"),
        ("designs:\n  resilient:\n    holds: [I-01, I-99]", "x.yaml:4: designs.resilient.holds[1]: no invariant or rule 'I-99'"),
        ("designs: {resilient: {hold: all}}", "unknown field; did you mean 'holds'?"),
        ("scenarios: [calm_trad]", "scenarios[0]: no scenario 'calm_trad'; did you mean 'calm_trade'?"),
        ("scenarios: lib", "no scenario 'lib'"),
        ("sometimes: [order_expird]", "no situation 'order_expird'; did you mean 'order_expired'?"),
        ("due: [K-02]", "due[0]: no rule 'K-02'; did you mean 'K-0"),
        ("due: [I-01]", "no rule 'I-01'"),
        ("confidence: 95", "confidence: must be less than 1, not 95"),
        ("confidence: high", "'high' is no share; write it like 1% or 0.01"),
        ("violation_rate: {below: 0}", "must be greater than 0"),
        ("violation_rate: {below: 1%, over: run}", "'run' is none of 'scenario' or 'design'"),
        ("violation_rat: {below: 1%}", "x.yaml:2: violation_rat: unknown field; did you mean 'violation_rate'?"),
        ("limits: [{click_to_card: {p95: 5 minutes}}]", "'5 minutes' is no duration"),
        ("limits: [{click_to_card: {p90: 5min}}]", "limits[0].click_to_card.p90: unknown field; did you mean 'p9"),
        ("limits: [{click_to_card: {}}]", "needs at least one of p50, p95, p99 and max"),
        ("limits: [{scenarios: [calm_trade]}]", "limits[0]: sets no limit"),
        ("limits: [{designs: [naive], money_at_risk_end_fen: 0}]", "no gated design 'naive'"),
        ("limits: [{scenarios: [storm], money_at_risk_end_fen: 0}]", "limits[0].scenarios[0]: no scenario 'storm'"),
        ("certificates: [{workload: card, design: resilent, k: 2}]", "certificates[0].design: no design 'resilent'"),
        ("certificates: [{workload: crd, design: resilient, k: 2}]", "certificates[0].workload: no workload 'crd'; did you mean 'card'?"),
        ("certificates: [{workload: card, design: resilient, k: 2, faults: [link.*, node.crsh]}]",
         "certificates[0].faults[1]: no fault 'node.crsh' to sweep with; did you mean 'node.crash'?"),
        ("certificates: [{workload: card, design: resilient, k: 2, faults: []}]", "certificates[0].faults: "),
        ("certificates: [{workload: card, design: resilient}]", "certificates[0].k: missing field"),
        ("designs: {resilient: {tolerated: [{name: I-01}]}}", "tolerated[0].why: missing field"),
        ("designs: {resilient: {holds: [I-01], tolerated: [{name: I-02, why: x}]}}", "'I-02' need not hold"),
        ("baseline: {pairs: 3}", "must be greater than or equal to 6"),
        ("designs: {}", "designs: "),
        ("schema: 1", "x.yaml:2: duplicate field 'schema'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_was_meant(text: str, message: str) -> None:
    """As for scenarios, by the same code."""
    with pytest.raises(DocumentError) as caught:
        parse(HEAD + text + "\n", "x.yaml", KNOWN)
    assert message in str(caught.value)
    assert str(caught.value).startswith("x.yaml:")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema: 2\n", "schema: 2 is none of 1"),
        ("", "the file is empty; `dingfeng schema gate` shows what belongs in it"),
        ("- all\n", "a gate is a mapping of fields, this is list"),
    ],
)
def test_what_is_no_policy_is_refused(text: str, message: str) -> None:
    """Another version of the format, or something else."""
    with pytest.raises(DocumentError, match=r"x\.yaml:1") as caught:
        parse(text, "x.yaml", KNOWN)
    assert message in str(caught.value)


def test_shares_are_written_as_people_write_them() -> None:
    """`1%`, `0.5 %` and 0.01."""
    for written, value in (("1%", 0.01), ("0.5 %", 0.005), ("0.01", 0.01)):
        policy = parse(f"{HEAD}violation_rate: {{below: {written}}}\n", "x.yaml", KNOWN)
        assert policy.violation_rate is not None
        assert policy.violation_rate.below == pytest.approx(value)


def _shipped() -> Known:
    """The names that there really are."""
    lists = (vocabulary.invariants, vocabulary.rules, vocabulary.situations)
    invariants, rules, situations = ([entry.name for entry in entries("en")] for entries in lists)
    return Known(
        vocabulary.design_names(),
        library(),
        invariants,
        rules,
        situations,
        library(),
        journeys(),
        swept_with.known(),
        swept_with.chosen(()),
    )


def test_the_shipped_policy_fits_the_shipped_names() -> None:
    """Everything that it names exists, and it asks for all of resilient."""
    policy = load(None, _shipped())
    assert list(policy.designs) == ["resilient"]
    assert policy.designs["resilient"].holds == ("all",)
    assert DEFAULT.is_file()


def test_the_policy_in_the_documentation_is_one() -> None:
    """Who copies it must not be told that it is wrong."""
    text = (Path(__file__).parents[2] / "docs" / "gate.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    policies = [
        parse(example, f"docs/gate.md, block {n}", _shipped()) for n, example in enumerate(examples, 1)
    ]
    assert policies[0].designs["resilient"].tolerated[0].below == pytest.approx(0.05)
    assert policies[0].certificates


def test_a_certificate_of_ones_own_workload_may_be_asked_for(tmp_path: Path) -> None:
    """What it is called is known from the certificate that is there, named by the policy or given beside it."""
    text = "schema: 1\ncertificates: [{{workload: {0}, design: resilient, k: 2, file: c.json}}]\n"
    (tmp_path / "gate.yaml").write_text(text.format("my_shop"), "utf-8")
    with pytest.raises(DocumentError, match="no workload 'my_shop'"):
        load(tmp_path / "gate.yaml", KNOWN)
    given = replace(KNOWN, certified=("my_shop",))
    assert load(tmp_path / "gate.yaml", given).certificates[0].workload == "my_shop"
    certificate(tmp_path / "c.json", workload="my_shop")
    assert load(tmp_path / "gate.yaml", KNOWN).certificates[0].workload == "my_shop"


def test_the_schema_knows_every_field_by_its_name_in_the_file() -> None:
    """An editor that completes `version` instead of `schema` would mislead."""
    schema = json_schema()
    assert {"schema", "designs", "violation_rate", "limits", "baseline"} <= set(schema["properties"])
    assert all(part.get("description") for part in schema["properties"].values())
