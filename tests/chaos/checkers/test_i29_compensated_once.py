"""I-29 on tiny histories."""

from __future__ import annotations

import pytest

from tests.chaos.histories import HOUR, Story

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


@pytest.mark.parametrize("rule", ["K-01", "K-02", "K-03", "K-04", "K-05", "K-06", "K-13"])
def test_no_rule_about_money_fires_without_a_capture(rule: str) -> None:
    """What was never paid cannot be made good."""
    story = Story().place()
    story.compensation("O1", rule, 0)
    assert [witness.words for witness in story.verdict("I-29").witnesses] == ["no_capture"]


@pytest.mark.parametrize("rule", ["K-10", "K-11", "K-16"])
def test_rules_that_are_not_about_a_payment_need_none(rule: str) -> None:
    """A lost membership, a call for people."""
    story = Story().place()
    story.compensation("O1", rule, 0)
    assert story.verdict("I-29").outcome == "holds"


@pytest.mark.parametrize("rule", ["K-01", "K-10", "K-11", "K-12"])
def test_credit_stands_in_a_row_of_a_rule_that_gives_credit(rule: str) -> None:
    """The rules that pay into a wallet, and no other: a refund's row covers no credit."""
    story = Story().place().pay()
    story.compensation("O1", rule, 1000)
    story.posting("O1", "credit", ("compensation_cost", 1000), ("wallet:u1", -1000))
    assert story.verdict("I-29").outcome == "holds"
    story = Story().place().pay()
    story.compensation("O1", "K-03", 1000)
    story.posting("O1", "credit", ("compensation_cost", 1000), ("wallet:u1", -1000))
    assert [witness.words for witness in story.verdict("I-29").witnesses] == ["credited_again"]


def test_the_cap_itself_may_be_paid() -> None:
    """800 is within 800, 801 is not."""
    for fen, outcome in ((800, "holds"), (801, "violated")):
        assert Story(policy=CAPPED).place().pay().credit(amount_fen=fen).verdict("I-29").outcome == outcome


def test_a_row_that_is_excluded_and_over_its_cap_is_told_once() -> None:
    """Its money is lost once."""
    verdict = Story(policy=CAPPED).plain().credit().verdict("I-29")
    assert [witness.words for witness in verdict.witnesses] == ["delivered"]
    assert verdict.amount_fen == 1000


def test_each_row_is_judged_once() -> None:
    """It is written again with every step of its payment."""
    story = Story().place()
    key = story.compensation("O1", "K-01", 1000)
    row = story.events[-1].row  # type: ignore[union-attr]
    assert story.state("compensations", key, row).verdict("I-29").count == 1


def test_three_for_one_incident_are_two_too_many() -> None:
    """And each of the two is told once, whichever it repeats."""
    story = Story().place().pay()
    for _ in range(3):
        story.compensation("O1", "K-03", 100, "O1/c2")
    assert [witness.words for witness in story.verdict("I-29").witnesses] == ["twice", "twice"]


def test_two_rows_of_one_transaction_are_one_too_many() -> None:
    """The one that was written second."""
    story = Story().place().pay()
    with story:
        first = story.compensation("O1", "K-03", 100, "O1/c2")
        second = story.compensation("O1", "K-03", 100, "O1/c2")
    (witness,) = story.verdict("I-29").witnesses
    assert (witness.data["compensation"], witness.data["other"]) == (second, first)


def test_a_part_that_was_delivered_excludes_no_make_good() -> None:
    """Two of five came, and the order was called complete."""
    story = Story().place(quantity=5).pay().sell(units=2)
    story.compensation("O1", "K-01", 3000)
    story.compensation("O1", "K-13", 3000)
    assert story.verdict("I-29").outcome == "holds"


def test_goods_that_the_platform_does_not_know_of_exclude_no_make_good() -> None:
    """The card is sold, the order still says paid."""
    story = Story().place().pay().card("O1-card0", "sold", "O1")
    story.compensation("O1", "K-01", 1000)
    assert story.verdict("I-29").outcome == "holds"


def test_goods_exclude_only_the_rules_about_missing_goods() -> None:
    """An extra capture goes back although everything was delivered."""
    story = Story().plain()
    story.compensation("O1", "K-03", 1000, "O1/c2")
    story.compensation("O1", "K-05", 1000)
    assert story.verdict("I-29").outcome == "holds"


@pytest.mark.parametrize("rule", ["K-01", "K-02"])
def test_a_disclosed_window_is_closed_at_its_end(rule: str) -> None:
    """An hour after the capture; not a moment before."""
    for early_us, outcome in ((1, "violated"), (0, "holds")):
        story = Story().place(sku="slow").capture()
        captured_us = story.events[-1].t_us
        story.now_us = captured_us + HOUR - early_us
        story.compensation("O1", rule, 3000)
        assert story.verdict("I-29").outcome == outcome


@pytest.mark.parametrize(("first_fen", "begins"), [(3000, 0), (2900, 1)])
def test_the_wait_begins_with_the_first_payment_of_the_price(first_fen: int, begins: int) -> None:
    """A second one goes back and begins no new wait; one of the wrong amount has not paid the order."""
    for early_us, outcome in ((1, "violated"), (0, "holds")):
        story = Story().place(sku="slow")
        paid_us = []
        for charge_no, paid_fen in (("O1/c1", first_fen), ("O1/c2", 3000)):
            story.now_us += 60_000_000
            story.book("CH", "captured", charge_no, channel="wechat", paid_fen=paid_fen, payer="u1")
            paid_us.append(story.events[-1].t_us)
        story.now_us = paid_us[begins] + HOUR - early_us
        story.compensation("O1", "K-01", 3000)
        assert story.verdict("I-29").outcome == outcome


def test_a_compensation_for_an_order_that_nobody_knows_is_judged_without_it() -> None:
    """Paid by somebody for something: it may be owed, and there is no price to exclude it by."""
    story = Story().book("CH", "captured", "O9/c1", paid_fen=500, payer="u1")
    story.compensation("O9", "K-04", 500)
    assert story.verdict("I-29").outcome == "holds"


def test_a_credit_is_not_counted_again_while_a_failover_is_taking_it_back() -> None:
    """Row and entry go in one transaction; in between nothing is decided."""
    story = Story().place().pay().credit()
    with story:
        story.order("O1", "revert").state("compensations", "M3", None, "revert")
    assert story.verdict("I-29").outcome == "holds"
