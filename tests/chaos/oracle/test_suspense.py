"""K-16: money in suspense reaches people within half an hour."""

from __future__ import annotations

from tests.chaos.oracle.lives import Life


def held() -> Life:
    """Paid too little; the money is held."""
    return Life().order().captured(1, fen=900).status(2, "held")


def test_held_money_without_a_ticket_is_missed() -> None:
    """Nobody looks after it."""
    (finding,) = held().audit().wrong()
    assert (finding.rule, finding.verdict, finding.owed_fen, finding.state) == ("K-16", "missed", 900, "held")


def test_a_ticket_when_half_an_hour_is_over_is_exact() -> None:
    """At once means within a minute."""
    assert held().promises(32, "K-16", fen=0).ticket(32.5).verdicts() == ["exact"]


def test_an_early_ticket_is_welcome() -> None:
    """The rule sets the last moment, not the first."""
    assert held().ticket(2).verdicts() == ["exact"]


def test_a_ticket_that_was_open_before_counts() -> None:
    """People are on it already."""
    assert Life().order().captured(1, fen=900).ticket(1.5).status(2, "held").verdicts() == ["exact"]


def test_the_first_of_several_tickets_counts() -> None:
    """A later one does not make it late."""
    assert held().ticket(10).ticket(50).verdicts() == ["exact"]


def test_an_outage_starts_the_half_hour_anew() -> None:
    """Nobody could open a ticket; 31 minutes from its end."""
    life = held().fault(20, "start", "database.crash").fault(25, "end", "database.crash")
    assert life.ticket(55.9).verdicts() == ["exact"]
    life = held().fault(20, "start", "database.crash").fault(25, "end", "database.crash")
    assert life.ticket(56.1).verdicts() == ["late"]


def test_a_skewed_clock_blurs_the_minute() -> None:
    """A node whose clock is 20 s behind."""
    life = held().fault(3, "start", "node.clock_skew", "platform-1", offset_us=-20_000_000)
    assert life.ticket(33.2).verdicts() == ["exact"]


def test_a_ticket_while_the_refund_is_not_confirmed_is_in_place() -> None:
    """The money is on its way, but nobody can be sure of it yet."""
    back = held().status(20, "refunding").refunded(20.1, fen=900)
    assert back.promises(32, "K-16", fen=0).ticket(32).verdicts("K-16") == ["exact"]


def test_a_ticket_after_the_minute_is_late() -> None:
    """31 minutes after the money was held."""
    assert held().ticket(33.1).verdicts() == ["late"]


def test_suspense_that_ends_in_time_needs_no_ticket() -> None:
    """Refunded before half an hour was over."""
    assert (
        held().status(20, "refunding").refunded(20.1, fen=900).status(21, "refunded").verdicts("K-16") == []
    )


def test_a_refund_that_failed_is_suspense() -> None:
    """The channel accepted it and could not pay it."""
    life = Life().order().captured(1).status(1.1, "paid").wants_refund(2).status(2, "refunding")
    assert life.refunded(3).bounced(4).verdicts("K-16") == ["missed"]


def test_a_capture_on_an_order_the_platform_calls_closed_is_suspense() -> None:
    """Money that nobody took up."""
    assert Life().order().status(15, "closed").captured(16).verdicts("K-16") == ["missed"]


def test_a_slow_delivery_is_not_suspense() -> None:
    """It is K-01's."""
    assert Life().order().captured(1).status(1.1, "paid").posting(6.5, "credit").verdicts("K-16") == []


def test_people_called_without_cause_is_undue() -> None:
    """Nothing was in suspense."""
    life = Life().order().captured(1).completed(2).promises(40, "K-16", fen=0).ticket(40)
    (finding,) = life.audit().findings
    assert (finding.verdict, finding.reason, finding.state) == ("undue", "no_trigger", "completed")


def test_a_ticket_row_from_before_the_suspense_called_people_for_nothing() -> None:
    """It answers no debt, and the ticket that came in time does."""
    life = Life().order().promises(0.5, "K-16", fen=0).captured(1, fen=999).status(1.1, "held").ticket(20)
    assert sorted(life.verdicts("K-16")) == ["doubled", "exact"]


def test_people_who_were_called_before_know_of_it() -> None:
    """A ticket that is there already need not be opened again."""
    assert Life().order().ticket(0.5).captured(1, fen=999).status(1.1, "held").verdicts("K-16") == ["exact"]
