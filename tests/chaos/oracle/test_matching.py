"""A debt and what was done about it, set against each other."""

from __future__ import annotations

import pytest

from chaos.oracle.debts import Act, Debt
from chaos.oracle.matching import match

END = 1000


def debt(*, binding: bool = True, fen: int = 100, incident: str = "", since: int = 10) -> Debt:
    """Due at 10, to be paid by 20; it may be paid until 30."""
    return Debt("K-03", "O1", incident, fen, 10, 20, binding, ((since, 30),))


def act(
    at: int = 15,
    *,
    done: int | None = None,
    fen: int | None = 100,
    named: bool = True,
    incident: str = "",
    breaks: str = "",
) -> Act:
    return Act("K-03", "O1", incident, at, at if done is None else done, fen, named, breaks)


def judged(debts: list[Debt], acts: list[Act], end: int = END) -> list[tuple[str, str]]:
    """Verdict and reason of each pair."""
    return [(pair.verdict, pair.reason) for pair in match(debts, acts, end)]


def test_what_is_owed_and_done_is_exact() -> None:
    """In time, in the right amount, for the right reason."""
    assert judged([debt()], [act()]) == [("exact", "")]


def test_what_must_be_done_and_is_not_is_missed_once_time_is_up() -> None:
    """While the run may still have paid, it is undecided; the very deadline is not over yet."""
    assert judged([debt()], [], end=21) == [("missed", "")]
    assert judged([debt()], [], end=20) == [("undecided", "")]


def test_what_may_be_done_and_is_not_is_nothing() -> None:
    """The platform was free."""
    assert judged([debt(binding=False)], []) == []


def test_what_may_be_done_and_is_done_is_exact_and_never_late() -> None:
    """It was allowed all along."""
    assert judged([debt(binding=False)], [act(25)]) == [("exact", "")]


def test_other_money_can_pay_a_debt_and_says_nothing_where_none_had_to_be_paid() -> None:
    """A refund that the platform gave no rule's name to."""
    assert judged([debt()], [act(named=False)]) == [("exact", "")]
    assert judged([debt(binding=False)], [act(named=False)]) == []
    assert judged([], [act(named=False)]) == []


@pytest.mark.parametrize(("done", "verdict"), [(20, "exact"), (21, "late")])
def test_the_deadline_itself_is_in_time(done: int, verdict: str) -> None:
    """What counts is when it was true, not when it was decided."""
    assert judged([debt()], [act(15, done=done)]) == [(verdict, "")]


@pytest.mark.parametrize(
    ("at", "verdict"),
    [(9, ("undue", "too_early")), (10, ("exact", "")), (30, ("late", "")), (31, ("undue", "trigger_over"))],
)
def test_the_edges_of_the_trigger_belong_to_it(at: int, verdict: tuple[str, str]) -> None:
    """One step outside it is undue, and the reason says on which side."""
    assert judged([debt()], [act(at)]) == [verdict]


def test_an_act_at_the_moment_the_debt_was_due_is_never_too_early() -> None:
    """When it is not allowed even so, the trigger did not hold."""
    assert judged([debt(since=11)], [act(10)]) == [("undue", "trigger_over")]


@pytest.mark.parametrize(
    ("fen", "named", "verdict"),
    [
        (99, True, ("wrong_amount", "too_little")),
        (101, True, ("wrong_amount", "too_much")),
        (99, False, ("wrong_amount", "too_little")),
        (101, False, ("exact", "")),
        (None, True, ("exact", "")),
    ],
)
def test_the_amount_is_right_to_the_fen(fen: int | None, named: bool, verdict: tuple[str, str]) -> None:
    """Money without the rule's name may be more: it may have been meant for more. Goods have no amount."""
    assert judged([debt()], [act(fen=fen, named=named)]) == [verdict]


def test_an_act_that_breaks_a_rule_by_itself_is_undue_with_or_without_a_debt() -> None:
    """And the reason is what it broke."""
    assert judged([debt()], [act(breaks="spendable")]) == [("undue", "spendable")]
    assert judged([], [act(breaks="spendable")]) == [("undue", "spendable")]
    assert judged([], [act()]) == [("undue", "no_trigger")]


def test_a_second_act_for_the_same_debt_is_doubled() -> None:
    """The earliest one pays."""
    pairs = match([debt()], [act(16), act(15)], END)
    assert [(pair.act.done_us if pair.act else 0, pair.verdict) for pair in pairs] == [
        (15, "exact"),
        (16, "doubled"),
    ]


def test_an_act_that_was_allowed_pays_before_one_that_was_not() -> None:
    """However early that one came."""
    assert judged([debt()], [act(5), act(15)]) == [("exact", ""), ("doubled", "no_trigger")]


def test_a_compensation_pays_before_money_without_a_name() -> None:
    """It is what the platform itself calls its answer to the debt."""
    pairs = match([debt()], [act(12, named=False), act(15)], END)
    assert [(pair.act.named if pair.act else None, pair.verdict) for pair in pairs] == [(True, "exact")]


def test_money_without_a_name_pays_before_a_compensation_that_was_not_allowed() -> None:
    """The member got what was owed; the other came on top."""
    for at in (5, 15):
        assert judged([debt()], [act(9), act(at, named=False)]) == [("exact", ""), ("doubled", "no_trigger")]


def test_each_incident_is_paid_by_its_own_act() -> None:
    """Money for one extra capture is no answer to another."""
    debts = [debt(incident="c2"), debt(incident="c3")]
    assert judged(debts, [act(incident="c3")]) == [("missed", ""), ("exact", "")]
    assert judged(debts, [act(incident="c4")]) == [("missed", ""), ("missed", ""), ("undue", "no_trigger")]
