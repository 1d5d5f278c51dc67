"""I-29 on tiny histories."""

from __future__ import annotations

import pytest

from tests.chaos.histories import Story

CAPPED = {"K-01": {"enabled": True, "cap_fen": 800}}


def test_one_compensation_holds() -> None:
    """One rule, one incident, one credit."""
    verdict = Story().place().pay().credit().verdict("I-29")
    assert (verdict.outcome, verdict.checked) == ("holds", 2)


def test_two_for_one_incident_violate() -> None:
    """X-39: two workers compensate."""
    verdict = Story().place().pay().credit().credit().verdict("I-29")
    (witness,) = verdict.witnesses
    assert (verdict.outcome, witness.words, witness.id, witness.amount_fen) == (
        "violated",
        "twice",
        "O1",
        1000,
    )
    assert witness.data["rule"] == "K-01"


def test_two_incidents_are_two_compensations() -> None:
    """Each extra capture is an incident of its own."""
    story = Story().place().pay()
    story.compensation("O1", "K-03", 1000, "O1/c2")
    story.compensation("O1", "K-03", 1000, "O1/c3")
    assert story.verdict("I-29").outcome == "holds"


def test_one_row_credited_twice_violates() -> None:
    """The ledger knows."""
    story = Story().place().pay().credit()
    story.posting("O1", "credit", ("compensation_cost", 1000), ("wallet:u1", -1000))
    (witness,) = story.verdict("I-29").witnesses
    assert (witness.words, witness.amount_fen) == ("credited_again", 1000)


def test_more_than_the_cap_violates() -> None:
    """The policy said 800 fen."""
    (witness,) = Story(policy=CAPPED).place().pay().credit().verdict("I-29").witnesses
    assert (witness.words, witness.data["cap_fen"]) == ("over_cap", 800)


@pytest.mark.parametrize("rule", ["K-01", "K-05", "K-06"])
def test_compensating_without_a_capture_violates(rule: str) -> None:
    """Nothing was paid."""
    story = Story().place()
    story.compensation("O1", rule, 1000)
    assert story.verdict("I-29").witnesses[0].words == "no_capture"


def test_compensating_a_delivered_order_violates() -> None:
    """It was completed before the make-good."""
    assert Story().plain().credit().verdict("I-29").witnesses[0].words == "delivered"


def test_compensating_inside_a_disclosed_window_violates() -> None:
    """X-40: an hour's wait was announced."""
    (witness,) = Story().place(sku="slow").pay().credit(amount_fen=3000).verdict("I-29").witnesses
    assert (witness.words, witness.amount_fen) == ("window_open", 3000)


def test_a_rule_that_is_switched_off_must_not_fire() -> None:
    """The policy said no."""
    story = Story(policy={"K-01": {"enabled": False}}).place().pay().credit()
    assert story.verdict("I-29").witnesses[0].words == "rule_off"


def test_credit_beside_entries_lost_by_a_failover_is_undecided() -> None:
    """A compensation row was taken back that nobody remembers."""
    story = Story().place().pay().state("compensations", "long ago", None, "revert")
    story.posting("O1", "credit", ("compensation_cost", 1000), ("wallet:u1", -1000))
    verdict = story.verdict("I-29")
    assert (verdict.outcome, verdict.witnesses[0].words) == ("unknown", "entries_lost")


def test_repairing_a_false_success_that_was_none_violates() -> None:
    """K-13: the supplier's book proves the delivery; without it the repair is right."""
    for delivered, outcome in ((0, "holds"), (1, "violated")):
        story = Story().place(sku="topup").pay().book("SUP", "delivered", "O1/s1", quantity=delivered)
        story.compensation("O1", "K-13", 3000)
        assert story.verdict("I-29").outcome == outcome


def test_extending_a_membership_already_made_good_violates() -> None:
    """K-02 is out when K-01 fired; alone it is right."""
    story = Story().place(sku="month").pay()
    story.compensation("O1", "K-02", 0)
    assert story.verdict("I-29").outcome == "holds"
    story = Story().place(sku="month").pay().credit(amount_fen=2500)
    story.compensation("O1", "K-02", 0)
    assert story.verdict("I-29").witnesses[0].words == "same_incident"


def test_a_disclosed_window_binds_only_the_rules_about_waiting() -> None:
    """An extra capture goes back at once."""
    story = Story().place(sku="slow").pay()
    story.compensation("O1", "K-03", 3000, "O1/c2")
    assert story.verdict("I-29").outcome == "holds"
