"""The audit of a run: every debt, every act, and the judgement of each.

`Oracle` reads the history as it streams by and does nothing else until `finish`. There, orders that
went their plain course (paid once, delivered within the promised time, nothing odd) are passed over
at the cost of one comparison; only the others are replayed against the rules.
"""

from __future__ import annotations

import msgspec

from chaos.history import Event, Header, History
from chaos.oracle.blame import Blame
from chaos.oracle.debts import Act, Debt, Finding
from chaos.oracle.law import RULES as RULE_IDS
from chaos.oracle.law import clauses
from chaos.oracle.matching import RULES, Pair, match
from chaos.oracle.replay import Replay
from chaos.oracle.timeline import Timeline


class Cell(msgspec.Struct, frozen=True):
    """One cell of the table rule × fault × order state."""

    rule: str
    fault: str
    state: str
    verdict: str
    count: int


class Audit(msgspec.Struct):
    """JSON-able outcome. `findings` are in the order of orders' first event, then rule.

    `counts`: rule → verdict → number. `never_due`: rules that no order of the run gave cause for.
    `disabled`: rules that the design's policy switched off, which were not judged.
    """

    orders: int
    replayed: int
    debts: list[Debt]
    acts: list[Act]
    findings: list[Finding]
    counts: dict[str, dict[str, int]]
    matrix: list[Cell]
    never_due: list[str]
    disabled: list[str]

    def wrong(self) -> list[Finding]:
        """The broken promises."""
        return [finding for finding in self.findings if finding.wrong]

    def undecided(self) -> list[Finding]:
        """Debts whose deadline lies beyond the end of the run."""
        return [finding for finding in self.findings if finding.verdict == "undecided"]


class Oracle:
    """Feed it every event (or route its `replay.routes`), then `finish`."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.replay = Replay(header)
        self.feed = self.replay.feed
        self._clauses = clauses(header.policy)
        self._ended_us = header.end_us

    def feed_all(self, events: list[Event]) -> None:
        """Take a whole history."""
        for event in events:
            self.feed(event)

    def finish(self, ended_us: int | None = None) -> Audit:
        """Replay the orders that need it and judge them.

        `ended_us`: where a history that was cut short ends; what falls due later is undecided.
        """
        self._ended_us = self.header.end_us if ended_us is None else ended_us
        replay = self.replay
        replay.blocked.close(self.header.heal_us)
        blame = Blame(replay)
        audit = Audit(len(replay.timelines), 0, [], [], [], {}, [], [], [])
        audit.disabled = [rule for rule, clause in self._clauses.items() if not clause.enabled]
        promised_us = self._clauses["K-01"].after_us
        for timeline in replay.timelines.values():
            if timeline.odd or not _plain(timeline, promised_us):
                audit.replayed += 1
                self._replay_order(timeline, audit, blame)
        _count(audit)
        return audit

    def _replay_order(self, timeline: Timeline, audit: Audit, blame: Blame) -> None:
        for rule, (owed, done) in RULES.items():
            clause = self._clauses[rule]
            if clause.enabled and _concerns(rule, timeline):
                debts = owed(timeline, clause, self.replay.blocked)
                acts = done(timeline, debts)
                audit.debts += debts
                audit.acts += acts
                for pair in match(debts, acts, self._ended_us):
                    audit.findings.append(_finding(rule, timeline, pair, blame))


def audit(history: History) -> Audit:
    """The audit of a complete history."""
    oracle = Oracle(history.header)
    oracle.feed_all(history.events)
    return oracle.finish()


def _plain(timeline: Timeline, promised_us: int) -> bool:
    """Never paid, or paid and delivered in full within the promised time: no rule can concern it."""
    if timeline.captured_us < 0:
        return timeline.units == 0
    by_us = timeline.captured_us + promised_us
    return (
        timeline.units == timeline.quantity
        and 0 <= timeline.completed_us <= by_us
        and timeline.delivered_us <= by_us
    )


def _concerns(rule: str, timeline: Timeline) -> bool:
    """Cheap test that spares most rules the replay; never false where the rule could find something."""
    if rule == "K-17":
        return any(change[1] in ("credit", "provisional", "void", "loss") for change in timeline.changes)
    if timeline.promises and any(promise.rule == rule for promise in timeline.promises):
        return True
    if rule == "K-13":
        return any(change[1] == "lied" for change in timeline.changes)
    return timeline.captured_us >= 0 or any(
        change[1] in ("credit", "provisional") for change in timeline.changes
    )


def _finding(rule: str, timeline: Timeline, pair: Pair, blame: Blame) -> Finding:
    debt, act, verdict, reason = pair
    at_us = debt.due_us if debt is not None else act.decided_us if act is not None else 0
    state = "none"
    for t_us, what, status, _ in timeline.changes:
        if t_us > at_us:
            break
        if what == "status":
            state = status or "none"
    return Finding(
        rule=rule,
        order_id=timeline.order_id,
        user=timeline.user,
        verdict=verdict,
        owed_fen=debt.amount_fen if debt is not None else 0,
        paid_fen=(act.amount_fen or 0) if act is not None else 0,
        due_us=debt.due_us if debt is not None else -1,
        by_us=debt.by_us if debt is not None else -1,
        act_us=act.done_us if act is not None else -1,
        state=state,
        fault=blame.of(timeline, at_us),
        reason=reason,
    )


def _count(result: Audit) -> None:
    counts: dict[str, dict[str, int]] = {rule: {} for rule in RULE_IDS}
    cells: dict[tuple[str, str, str, str], int] = {}
    for finding in result.findings:
        verdicts = counts[finding.rule]
        verdicts[finding.verdict] = verdicts.get(finding.verdict, 0) + 1
        cell = (finding.rule, finding.fault, finding.state, finding.verdict)
        cells[cell] = cells.get(cell, 0) + 1
    result.counts = counts
    result.matrix = [Cell(*cell, number) for cell, number in sorted(cells.items())]
    result.never_due = [rule for rule in RULE_IDS if not counts[rule] and rule not in result.disabled]
