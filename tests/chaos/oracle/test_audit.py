"""What the audit counts, names and blames."""

from __future__ import annotations

import msgspec

from chaos.checkers.i30_compensation_exact import CompensationExact
from chaos.checkers.judge import Judge
from chaos.checkers.verdict import Verdict
from chaos.history import Read
from tests.chaos.oracle.lives import MINUTE, Life


def test_rules_that_nothing_gave_cause_for_are_listed() -> None:
    """A report must not suggest that they were proved."""
    audit = Life().order().captured(1).audit()
    assert audit.counts["K-01"] == {"missed": 1}
    assert audit.never_due == ["K-03", "K-04", "K-05", "K-06", "K-13", "K-16", "K-17"]


def test_the_matrix_blames_the_fault_that_touched_the_order() -> None:
    """Rule × fault × order state; a fault in force is the second choice."""
    life = Life().order().order(0, "O2").captured(1).captured(1, "O2/c1")
    life.history.fault(
        "channel.callback_loss", "touch", "1/channel.callback_loss/wechat/O1/c1/1", {"where": "wechat"}
    )
    life.fault(5, "start", "channel.query_lag", "wechat").fault(8, "end", "channel.query_lag", "wechat")
    cells = [(cell.rule, cell.fault, cell.state, cell.verdict, cell.count) for cell in life.audit().matrix]
    assert cells == [
        ("K-01", "channel.callback_loss", "created", "missed", 1),
        ("K-01", "channel.query_lag", "created", "missed", 1),
    ]


def test_a_fault_of_the_member_is_blamed_by_member_and_client_key() -> None:
    """A user who pays twice; the site names the click, not the order."""
    life = Life().order().captured(1).completed(2).order(2, "O2", user="ann").captured(3, "O1/c2")
    life.history.fault("user.drop", "touch", "0/user.drop/ann/key-O2", {"where": "ann"})
    life.history.fault("user.pay_twice", "touch", "1/user.pay_twice/ann/key-O1", {"where": "ann"})
    (finding,) = life.audit().findings
    assert (finding.rule, finding.fault) == ("K-03", "user.pay_twice")


def test_an_orphan_names_its_payer_and_what_the_payer_did() -> None:
    """No order, but a member all the same."""
    life = Life().captured(1, "Q-ann-1", 500)
    life.history.fault("user.static_code", "touch", "0/user.static_code/ann/k4", {"where": "ann"})
    findings = life.audit().findings
    assert [(finding.user, finding.fault) for finding in findings] == [("ann", "user.static_code")] * 2


def test_a_window_that_ended_before_the_order_began_or_started_after_the_trigger_is_not_blamed() -> None:
    """Only what was about while it mattered."""
    life = Life().fault(0, "start", "database.crash").fault(0.5, "end", "database.crash").order(1).captured(2)
    life.fault(30, "start", "node.pause").fault(31, "end", "node.pause")
    (finding,) = life.audit().findings
    assert finding.fault == "none"


def test_an_audit_survives_json() -> None:
    """Reports read it from the results directory."""
    audit = Life().order().captured(1).audit()
    assert msgspec.json.decode(msgspec.json.encode(audit), type=type(audit)) == audit


def judged(life: Life, *, cut: bool = False) -> Verdict:
    """What the judge says of I-30, after the last reads or in a history cut short before them."""
    header = life.history.header
    court = Judge(header, (CompensationExact,))
    court.feed_all(life.history.events)
    if not cut:
        court.feed(Read(header.end_us, "product", "card", {}))
    (verdict,) = court.finish()
    return verdict


def test_i30_holds_when_every_compensation_is_exact() -> None:
    """Recall and precision are both whole."""
    verdict = judged(Life().order().captured(1).posting(6.5, "credit"))
    assert (verdict.outcome, verdict.checked) == ("holds", 1)


def test_i30_is_violated_by_a_missed_compensation_and_names_order_and_money() -> None:
    """The witness says whose money, how much, and when the promise broke."""
    verdict = judged(Life().order().captured(1))
    (witness,) = verdict.witnesses
    assert (verdict.outcome, verdict.amount_fen, verdict.first_us) == ("violated", 1000, 7 * 60_000_000)
    assert (witness.id, witness.words, witness.amount_fen, witness.users) == ("O1", "missed", 1000, ("ann",))
    assert witness.events == (1,)
    assert witness.data["rule"] == "K-01"


def test_money_that_two_rules_speak_of_is_at_risk_only_once() -> None:
    """An orphan that is kept breaks K-04 and K-16."""
    verdict = judged(Life().captured(1, "Q-ann-1", 500))
    assert (verdict.count, verdict.amount_fen) == (2, 500)


def test_i30_is_unknown_when_the_history_was_cut_before_the_deadline() -> None:
    """A run that was stopped says nothing of what would have come."""
    verdict = judged(Life().order().captured(1), cut=True)
    assert (verdict.outcome, verdict.count) == ("unknown", 1)


def test_i30_is_unknown_when_the_run_ends_before_the_deadline() -> None:
    """Not green without evidence."""
    verdict = judged(Life(end=6.5).order().captured(1))
    assert (verdict.outcome, verdict.count) == ("unknown", 1)


def test_a_finding_tells_what_was_owed_and_what_was_done() -> None:
    """Both sides in fen, and when; what is not there is 0 fen at -1."""
    (exact,) = Life().order().captured(1).status(1.1, "paid").posting(6.5, "credit").audit().findings
    assert (exact.owed_fen, exact.paid_fen, exact.act_us) == (1000, 1000, round(6.5 * MINUTE))
    (missed,) = Life().order().captured(1).audit().findings
    assert (missed.owed_fen, missed.paid_fen, missed.act_us) == (1000, 0, -1)
    (undue,) = Life().order().posting(9, "credit", 700).audit().findings
    assert (undue.owed_fen, undue.paid_fen, undue.due_us, undue.by_us) == (0, 700, -1, -1)
    (ticket,) = Life().order().captured(1, fen=999).status(2, "held").ticket(20).audit().findings
    assert (ticket.rule, ticket.owed_fen, ticket.paid_fen) == ("K-16", 999, 0)


def test_a_finding_names_the_state_of_the_order_at_its_trigger() -> None:
    """Not at the end: in minute 6 the order was paid, in minute 20 it was completed."""
    life = Life().order().captured(1).status(1.1, "paid").status(6, "fulfilling").completed(20)
    assert [finding.state for finding in life.audit().findings] == ["fulfilling"]
    assert {finding.state for finding in Life().captured(1, "Q-ann-1", 500).audit().findings} == {"none"}
    lost = Life().order().captured(1).forgotten(2)
    assert {finding.state for finding in lost.audit().findings if finding.rule == "K-04"} == {"none"}


def test_the_state_of_an_undue_act_is_that_of_its_own_moment() -> None:
    """There is no trigger to go by."""
    life = Life().order().status(15, "closed").posting(16, "credit")
    assert [finding.state for finding in life.audit().findings] == ["closed"]


def test_the_audit_keeps_debts_and_acts_and_counts_the_orders_it_replayed() -> None:
    """O1 went its plain course, O2 did not."""
    life = (
        Life().order().order(0, "O2").captured(1).captured(1, "O2/c1").status(1.5, "paid", "O2").completed(2)
    )
    audit = life.posting(6.5, "credit", order_id="O2").audit()
    assert (audit.orders, audit.replayed) == (2, 1)
    assert [(debt.rule, debt.order_id, debt.amount_fen) for debt in audit.debts] == [("K-01", "O2", 1000)]
    assert [(act.rule, act.order_id, act.amount_fen) for act in audit.acts] == [("K-01", "O2", 1000)]


def test_debts_that_the_run_was_too_short_for_are_listed() -> None:
    """`undecided` and `wrong` share nothing."""
    audit = Life(end=6.5).order().captured(1).audit()
    assert ([finding.rule for finding in audit.undecided()], audit.wrong()) == (["K-01"], [])
    assert Life().order().captured(1).audit().undecided() == []


def test_a_rule_that_was_switched_off_is_not_among_those_that_never_came_up() -> None:
    """It was not looked for."""
    audit = Life(policy={"K-06": {"enabled": False}}).order().captured(1).audit()
    assert "K-06" not in audit.never_due


def test_a_window_is_blamed_that_touched_the_life_of_the_order_at_its_very_edges() -> None:
    """It ended when the order began; it began when the credit was due."""
    life = Life().fault(0, "start", "channel.query_lag").fault(1, "end", "channel.query_lag").order(1)
    assert [finding.fault for finding in life.captured(2).audit().findings] == ["channel.query_lag"]
    life = Life().order().captured(1).fault(6, "start", "channel.query_lag")
    assert [finding.fault for finding in life.audit().findings] == ["channel.query_lag"]


def test_a_member_is_blamed_by_the_click_and_not_by_what_the_site_counts_behind_it() -> None:
    """The site of a user's fault may go on after the client key."""
    life = Life().order().captured(1)
    life.history.fault("user.drop", "touch", "0/user.drop/ann/key-O1/3", {"where": "ann"})
    assert [finding.fault for finding in life.audit().findings] == ["user.drop"]
