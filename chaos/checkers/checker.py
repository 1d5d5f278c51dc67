"""What all checkers have in common: they listen, they count, they keep witnesses.

A checker names the events it wants (`hears`) and judges from the shared books. It never sees the
platform's objects. `when` says when its invariant must hold: c at each commit or event, d at the
deadline, q at quiescence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from chaos.account import EVERYTHING, Account
from chaos.books import Books, Handler
from chaos.checkers.verdict import WITNESSES_KEPT, Outcome, Verdict, Witness

__all__ = ["Checker", "Handler", "QuiescentChecker"]


class Checker:
    """One invariant. Subclasses implement `hears` for c, `at_end` for d and q, or both."""

    invariant: ClassVar[str]
    when: ClassVar[str]
    cares_for: ClassVar[int] = EVERYTHING
    """Which changes of an order (`chaos.account`: ORDER, LOG, GOODS …) `commit.order` shall tell of."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.header = books.header
        self.checked = 0
        self.violations = 0
        self.open_questions = 0
        self.at_risk_fen = 0
        self.first_us: int | None = None
        self._witnesses: list[Witness] = []
        self._doubts: list[Witness] = []
        self._order_fen: dict[str, int] = {}
        self._told_fen: dict[tuple[str, str], int] = {}

    def hears(self) -> dict[str, Handler]:
        """Event key (`state.cards`, `CH.captured`, `ok.view_order`, `commit.order` …) → bound method."""
        return {}

    def at_end(self, books: Books) -> None:
        """The history is over."""

    def violated(
        self,
        entity: str,
        name: str,
        words: str,
        *,
        amount_fen: int = 0,
        users: tuple[str, ...] = (),
        events: Iterable[int] = (),
        t_us: int | None = None,
        **data: Any,
    ) -> None:
        """One case in which the invariant does not hold, seen at the present event unless `t_us` says."""
        self.violations += 1
        self.at_risk_fen += amount_fen
        t_us = self.books.now_us if t_us is None else t_us
        if self.first_us is None or t_us < self.first_us:
            self.first_us = t_us
        if len(self._witnesses) < WITNESSES_KEPT:
            witness = Witness(entity, name, words, data, amount_fen, users, tuple(events), t_us)
            self._witnesses.append(witness)

    def undecided(
        self, entity: str, name: str, words: str, *, events: Iterable[int] = (), **data: Any
    ) -> None:
        """One case that this history cannot decide, and why."""
        self.open_questions += 1
        if len(self._doubts) < WITNESSES_KEPT:
            witness = Witness(entity, name, words, data, events=tuple(events), t_us=self.books.now_us)
            self._doubts.append(witness)

    def violated_order(
        self, account: Account, words: str, *, amount_fen: int, events: Iterable[int], **data: Any
    ) -> None:
        """As `violated`, about an order and its member; its money is at risk once, however often it is told."""
        known_fen = self._order_fen.get(account.order_id, 0)
        self._order_fen[account.order_id] = max(known_fen, amount_fen)
        self.violated(
            "order",
            account.order_id,
            words,
            amount_fen=amount_fen,
            users=account.users,
            events=events,
            **data,
        )
        self.at_risk_fen -= min(known_fen, amount_fen)

    def violated_so_far(
        self, account: Account, words: str, *, amount_fen: int, events: Iterable[int], **data: Any
    ) -> None:
        """As `violated_order`, about what every later change of the order shows again: told anew only when worse."""
        told_fen = self._told_fen.get((account.order_id, words))
        if told_fen is None or amount_fen > told_fen:
            self._told_fen[account.order_id, words] = amount_fen
            self.violated_order(account, words, amount_fen=amount_fen, events=events, **data)

    def verdict(self) -> Verdict:
        """The outcome so far."""
        outcome: Outcome = "violated" if self.violations else "unknown" if self.open_questions else "holds"
        witnesses = self._witnesses if self.violations else self._doubts
        return Verdict(
            self.invariant,
            outcome,
            self.checked,
            self.violations or self.open_questions,
            tuple(witnesses),
            self.at_risk_fen,
            self.first_us,
        )


class QuiescentChecker(Checker):
    """Judges each order once, when the run is quiescent; before that nothing is decided."""

    when: ClassVar[str] = "q"

    def at_end(self, books: Books) -> None:
        if not books.finished:
            if books.accounts:
                self.undecided("run", self.header.scenario, "unfinished", end_us=self.header.end_us)
            return
        judge = self.judge
        for account in books.accounts.values():
            judge(account)

    def judge(self, account: Account) -> None:
        """Judge one order with all its books complete."""
        raise NotImplementedError
