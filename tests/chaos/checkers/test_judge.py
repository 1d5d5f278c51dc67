"""The judge: who hears what, what a broken checker costs, and what a verdict keeps."""

from __future__ import annotations

import pytest

from chaos.account import Account
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.checkers.judge import Judge, judge
from chaos.checkers.registry import CHECKERS
from chaos.checkers.verdict import WITNESSES_KEPT
from chaos.history import Book, History
from tests.chaos.histories import Story, header


class Counting(Checker):
    """Counts captures; complains of none."""

    invariant = "X-count"
    when = "c"

    def hears(self) -> dict[str, Handler]:
        return {"CH.captured": self._captured}

    def _captured(self, _: Book) -> None:
        self.checked += 1


class Breaking(Counting):
    """Fails at the first capture, as it is heard."""

    invariant = "X-break"

    def _captured(self, event: Book) -> None:
        super()._captured(event)
        raise ZeroDivisionError("on purpose")


class BreakingAtEnd(Counting):
    """Fails when all is over."""

    invariant = "X-break-at-end"

    def at_end(self, books: Books) -> None:
        raise KeyError(books.header.scenario)


class BreakingAtCommit(Counting):
    """Fails when a transaction ends."""

    invariant = "X-break-at-commit"

    def hears(self) -> dict[str, Handler]:
        return {"commit.order": self._committed}

    def _committed(self, account: Account) -> None:
        raise LookupError(account.order_id)


def test_a_plain_order_violates_nothing() -> None:
    """Every checker over the plain order: holds, and none is silent about having judged nothing."""
    for verdict in (
        Story().plain().view(cards=("O1-card0",)).end().read("product", "card", shown=9).verdicts().values()
    ):
        assert verdict.outcome == "holds", verdict


def test_an_empty_history_holds_with_nothing_checked() -> None:
    """No event, no claim: `checked` says that the verdict is worth nothing."""
    for verdict in judge(History(header())):
        assert (verdict.outcome, verdict.checked) == ("holds", 0)


def test_a_checker_that_raises_is_unknown_and_takes_nobody_along() -> None:
    """The checkers before and behind it in the line hear every event once."""
    court = Judge(header(), (Counting, Breaking, BreakingAtEnd, BreakingAtCommit, Counting))
    court.feed_all(Story().plain("O1").plain("O2").events)
    before, broken, at_end, at_commit, behind = court.finish()
    assert (before.outcome, before.checked, behind.outcome, behind.checked) == ("holds", 2, "holds", 2)
    assert (broken.outcome, broken.checked) == ("unknown", 1)
    assert broken.witnesses[0].data == {"error": "ZeroDivisionError: on purpose"}
    assert (at_end.outcome, at_end.checked) == ("unknown", 2)
    assert at_commit.witnesses[0].data == {"error": "LookupError: O1"}
    assert (at_end.count, at_end.witnesses[0].entity) == (1, "checker")


def test_books_that_cannot_be_read_make_every_verdict_unknown() -> None:
    """A damaged event leaves nobody with the truth."""
    story = Story().plain()
    story.add(Book(story.now_us, "CH", "captured", "O1/c1", {}))
    assert {verdict.outcome for verdict in judge(story.history())} == {"unknown"}


def test_feeding_one_by_one_gives_the_same_verdicts() -> None:
    """A run judges as it goes; a saved history is judged at once."""
    story = Story().plain("O1").place("O2").capture("O2/c1").end()
    court = Judge(story.header)
    for event in story.events:
        court.feed(event)
    assert court.finish() == judge(story.history())


def test_the_first_violation_is_known_as_the_run_goes() -> None:
    """So that a run can stop there."""
    story = Story().plain("O1")
    court = Judge(story.header)
    court.feed_all(story.events)
    nothing = court.first_violation
    assert nothing is None
    told = len(story.events)
    story.place("O2", "u2").pay("O2/c1").card("O1-card0", "sold", "O2").wait(1).place("O3")
    court.feed_all(story.events[told:])
    first = court.first_violation
    assert first is not None
    assert first.invariant == "I-09"
    assert first.first_us == first.witnesses[0].t_us


def test_witnesses_are_kept_up_to_twenty_and_counted_beyond() -> None:
    """A run with a thousand victims stays readable, and the money is summed over all."""
    story = Story()
    for n in range(WITNESSES_KEPT + 5):
        story.wallet(f"u{n}", -100)
    verdict = story.verdict("I-07")
    assert (len(verdict.witnesses), verdict.count, verdict.amount_fen) == (WITNESSES_KEPT, 25, 2500)


def test_witness_events_point_into_the_history() -> None:
    """An index is enough to find the event."""
    story = Story().plain().open_charge("O1/c2").capture("O1/c2").end()
    (witness,) = story.verdict("I-03").witnesses
    assert [(e.entry, e.ref) for i in witness.events if isinstance(e := story.events[i], Book)] == [
        ("captured", "O1/c1"),
        ("captured", "O1/c2"),
    ]


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.invariant)
def test_every_checker_says_when_its_invariant_must_hold(checker: type[Checker]) -> None:
    """c at each commit, d at the deadline, q at quiescence; and each explains itself."""
    assert checker.when in ("c", "d", "q")
    assert checker.__doc__
    assert checker.__module__.rpartition(".")[2].startswith(f"i{checker.invariant[2:]}_")


def test_every_invariant_has_one_checker() -> None:
    """The registry is the list of what is judged."""
    names = [checker.invariant for checker in CHECKERS]
    assert len(names) == len(set(names))
    assert names == sorted(names)


def test_of_several_violations_the_first_is_the_one_that_was_broken_first() -> None:
    """A deadline may be broken before what was found earlier; of one moment, the first in the registry."""
    story = Story().place("O1").card("x", "sold", "O1").place("O2", "u2").card("x", "sold", "O2")
    court = Judge(story.header)
    court.feed_all(story.events)
    court.finish()
    first = court.first_violation
    assert first is not None
    broken = [checker for checker in court.checkers if checker.first_us is not None]
    assert (first.invariant, len(broken) > 1) == ("I-02", True)
    assert first.first_us == min(checker.first_us or 0 for checker in broken)
    same = Story().place().order("O1", status="paid")
    court = Judge(same.header)
    court.feed_all(same.events)
    court.finish()
    told = court.first_violation
    assert told is not None
    assert told.invariant == "I-18"


def test_a_wallet_is_judged_when_its_own_transaction_ends() -> None:
    """The channel's book goes on; the violation is dated to the wallet's row."""
    story = Story().wallet("u1", 5)
    story.wait(9).book("CH", "captured", "O9/c1", paid_fen=1, payer="u2")
    (witness,) = story.verdict("I-08").witnesses
    assert (witness.t_us, witness.events) == (0, (0,))
