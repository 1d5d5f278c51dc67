"""The policy file: a user edits it, so every mistake is named with its line and the nearest word."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_platform.facts import AMOUNTS, FACTS, OPERATORS
from reference_platform.policy import MOMENTS_OF, Condition, PolicyError, Rule, load, parse, shipped
from reference_platform.ports import MINUTE, SECOND

GOOD = """\
name: mine
rules:
  - id: K-01
    title: {en: late, zh: 迟}
    moment: captured
    after: 5 min
    deadline: 60 s
    trigger:
      - {fact: delivered_qty, op: "==", value: 0}
    evidence: [captured_fen]
    action: credit_wallet
    amount: captured
"""


def test_the_shipped_policy_has_every_rule_of_the_platform() -> None:
    """Their numbers go into each history's header."""
    summary = shipped("standard").summary()
    assert sorted(summary) == ["K-01", "K-03", "K-04", "K-05", "K-06", "K-13", "K-16", "K-17"]
    assert summary["K-01"]["after_us"] == 5 * MINUTE
    assert summary["K-01"]["deadline_us"] == 60 * SECOND
    assert summary["K-16"]["after_us"] == 30 * MINUTE
    assert all(rule["enabled"] for rule in summary.values())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fact: delivered_qty", "fact: deliverd_qty", "mine.yaml:9: rules[0].trigger[0].fact: unknown fact 'deliverd_qty'; did you mean 'delivered_qty'?"),
        ("action: credit_wallet", "action: credit_walet", "mine.yaml:11: rules[0].action: unknown action 'credit_walet'; did you mean 'credit_wallet'?"),
        ("    amount: captured", "    amont: captured", "mine.yaml:12: rules[0].amont: unknown field; did you mean 'amount'?"),
        ("after: 5 min", "after: 5 fortnights", "mine.yaml:6: rules[0].after: '5 fortnights' is not a duration"),
        ("after: 5 min", "after: 300", "mine.yaml:6: rules[0].after: a duration is written like"),
        ("id: K-01", "id: rule one", "mine.yaml:3: rules[0].id:"),
        ("moment: captured", "moment: delivered", "mine.yaml:11: rules[0].action: credit_wallet goes with the moment captured"),
        ("    deadline: 60 s\n", "", "mine.yaml:3: rules[0].deadline: Field required"),
        ("    amount: captured\n", "    amount: captured\n    cap_fen: 0\n", "mine.yaml:13: rules[0].cap_fen:"),
        ("name: mine", "name: [", "mine.yaml:"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(old: str, new: str, message: str) -> None:
    """File, line, field, and what was probably meant."""
    with pytest.raises(PolicyError) as error:
        parse(GOOD.replace(old, new), "mine.yaml")
    assert str(error.value).startswith(message)


def test_a_rule_may_not_be_there_twice() -> None:
    """The second one would never be seen."""
    twice = GOOD + GOOD.partition("rules:\n")[2]
    with pytest.raises(PolicyError, match=r"mine.yaml:13: .*K-01 is there twice"):
        parse(twice, "mine.yaml")


def test_a_policy_is_a_mapping() -> None:
    """An empty file or a list is none."""
    for text in ("", "- a\n"):
        with pytest.raises(PolicyError, match=r"mine.yaml:1: "):
            parse(text, "mine.yaml")


def test_a_users_file_is_read_from_its_path(tmp_path: Path) -> None:
    """And a missing one is an error with its name."""
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert load(file).rules[0].id == "K-01"
    with pytest.raises(PolicyError, match=r"nothing\.yaml"):
        load(tmp_path / "nothing.yaml")
    with pytest.raises(PolicyError, match="did you mean 'standard'"):
        shipped("standart")


def test_every_word_of_the_vocabulary_has_a_meaning() -> None:
    """What the file may say is what the engine can compute."""

    def words(model: type, field: str) -> set[str]:
        annotation = model.model_fields[field].annotation  # type: ignore[attr-defined]
        return set(annotation.__args__)

    assert words(Condition, "fact") == set(FACTS)
    assert words(Condition, "op") == set(OPERATORS)
    assert words(Rule, "amount") == set(AMOUNTS)
    assert words(Rule, "action") == set(MOMENTS_OF)
    assert {moment for moments in MOMENTS_OF.values() for moment in moments} == words(Rule, "moment")


def test_a_rule_that_is_switched_off_has_no_moment() -> None:
    """It can still be looked up by its id, as a job from before the change does."""
    policy = parse(GOOD.replace("    title:", "    enabled: false\n    title:"), "mine.yaml")
    assert list(policy.by_id) == ["K-01"]
    assert policy.by_moment == {}
    assert [rule.id for rule in parse(GOOD, "mine.yaml").by_moment["captured"]] == ["K-01"]
