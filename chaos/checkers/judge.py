"""Feeds a history to the books and to every checker, and collects the verdicts.

An event is looked up once; only those who asked for its key are called. Keys:

    state.<table>   CH.<entry>   SUP.<entry>   fault.<name>   notice.<topic>   read.<subject>
    invoke.<action>   ok.<action>   fail.<action>   unknown.<action>       (`*` for any of a kind)
    commit.order    an order that the transaction just ended has changed (its account)
    commit.wallet   likewise a wallet (its user)

A checker that raises is out: its verdict is unknown and says why. The others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from chaos import routes
from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.checkers.registry import CHECKERS
from chaos.checkers.verdict import Verdict, Witness
from chaos.counterparty_books import CounterpartyBooks
from chaos.history import Book, Event, Fail, Fault, Header, History, Invoke, Notice, Ok, Read, State, Unknown
from chaos.ledger_book import LedgerBook
from chaos.routes import Handlers

_action, _topic, _subject, _fault = map(attrgetter, ("action", "topic", "subject", "fault"))
_KINDS: dict[type[Any], tuple[str, Callable[[Any], str]]] = {
    Invoke: ("invoke", _action),
    Ok: ("ok", _action),
    Fail: ("fail", _action),
    Unknown: ("unknown", _action),
    Notice: ("notice", _topic),
    Read: ("read", _subject),
    Fault: ("fault", _fault),
}


def owner(handler: Handler) -> Any:
    """The checker (or the books) that a bound method belongs to."""
    return handler.__self__  # type: ignore[attr-defined]


class Judge:
    """One history's judge: `feed` each event in order, then `finish`.

    Nothing stops by itself; a run that wants to stop looks at `first_violation` after feeding.
    """

    def __init__(self, header: Header, checkers: Sequence[type[Checker]] = CHECKERS) -> None:
        self.books = Books(header)
        self._readers = (self.books, LedgerBook(self.books), CounterpartyBooks(self.books))
        self.checkers = [checker(self.books) for checker in checkers]
        self._failed: dict[str, str] = {}
        self._wire()

    def _wire(self) -> None:
        """Event key → who is called, the books always first."""
        heard = [reader.hears() for reader in self._readers]
        heard += [checker.hears() for checker in self.checkers if checker.invariant not in self._failed]
        tables = routes.tables(heard)
        self._states = tables.get("state", {})
        self._parties = {party: tables.get(party, {}) for party in ("CH", "SUP")}
        self._others = {
            kind: (tables.get(name, {}), tables.get(name, {}).get("*", ()), name_of)
            for kind, (name, name_of) in _KINDS.items()
        }
        commit = tables.get("commit", {})
        self._on_order, self._on_wallet = commit.get("order", ()), commit.get("wallet", ())
        self._concerned: dict[int, Handlers] = {}
        self._tx = -1

    @property
    def first_violation(self) -> Verdict | None:
        """The verdict that was violated first, as far as the history has been fed."""
        first: Checker | None = None
        for checker in self.checkers:
            if checker.first_us is not None and (first is None or checker.first_us < (first.first_us or 0)):
                first = checker
        return first.verdict() if first is not None else None

    def feed(self, event: Event) -> None:
        """Judge one more event."""
        self.feed_all((event,))

    def feed_all(self, events: Iterable[Any]) -> None:
        """Judge events in order; the loop is the hot path of the whole harness."""
        books = self.books
        for event in events:
            kind = type(event)
            if kind is State:
                if event.tx != self._tx:
                    if books.touched or books.touched_wallets:
                        self._commit()
                    self._tx = event.tx
                handlers = self._states.get(event.table, ())
            else:
                if books.touched or books.touched_wallets:
                    self._commit()
                if kind is Book:
                    handlers = self._parties[event.party].get(event.entry, ())
                else:
                    table, general, name_of = self._others[kind]
                    handlers = table.get(name_of(event), general)
            books.at += 1
            books.last = event
            try:
                for handler in handlers:
                    handler(event)
            except Exception as error:  # noqa: BLE001 - a broken checker must not take the others with it
                self._go_on(handlers, handler, event, error)

    def _call(self, handlers: Handlers, subject: Any) -> None:
        """Call each; one that raises is out and the rest still hear of this subject."""
        try:
            for handler in handlers:
                handler(subject)
        except Exception as error:  # noqa: BLE001 - see feed_all, whose loop is this one written out
            self._go_on(handlers, handler, subject, error)

    def _go_on(self, handlers: Handlers, broken: Handler, subject: Any, error: Exception) -> None:
        self._exclude(broken, error)
        self._call(handlers[handlers.index(broken) + 1 :], subject)

    def _exclude(self, handler: Handler, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        broken = owner(handler)
        for checker in self.checkers:
            if broken is checker or broken in self._readers:
                self._failed.setdefault(checker.invariant, text)
        tx = self._tx
        self._wire()
        self._tx = tx

    def _commit(self) -> None:
        """The transaction is complete: let those who wait for that judge what it changed."""
        books = self.books
        touched, books.touched = books.touched, []
        for account in touched:
            books.settle(account)
            changed = account.changed
            handlers = self._concerned.get(changed)
            if handlers is None:
                handlers = self._concerned[changed] = self._who_cares(changed)
            self._call(handlers, account)
            account.changed = 0
            account.log = None
        if books.touched_wallets:
            users, books.touched_wallets = books.touched_wallets, {}
            for user in users:
                self._call(self._on_wallet, user)

    def _who_cares(self, changed: int) -> Handlers:
        """Who wants to hear of a transaction that changed this of an order."""
        return tuple(handler for handler in self._on_order if owner(handler).cares_for & changed)

    def finish(self) -> list[Verdict]:
        """The verdict on every invariant, in the order of the registry."""
        self._commit()
        self._tx = -1
        return [self._verdict(checker) for checker in self.checkers]

    def _verdict(self, checker: Checker) -> Verdict:
        if checker.invariant not in self._failed:
            self._call((checker.at_end,), self.books)
        text = self._failed.get(checker.invariant)
        if text is None:
            return checker.verdict()
        witness = Witness("checker", checker.invariant, "broken", {"error": text}, t_us=self.books.now_us)
        return Verdict(checker.invariant, "unknown", checker.checked, 1, (witness,))


def judge(history: History) -> list[Verdict]:
    """Judge a whole history."""
    court = Judge(history.header)
    court.feed_all(history.events)
    return court.finish()
