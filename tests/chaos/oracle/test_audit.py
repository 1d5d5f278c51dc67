"""What the audit counts, names and blames."""

from __future__ import annotations

import msgspec

from chaos.checkers.i30_compensation_exact import CompensationExact
from chaos.checkers.judge import Judge
from chaos.checkers.verdict import Verdict
from chaos.history import Read
from tests.chaos.oracle.lives import Life


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
