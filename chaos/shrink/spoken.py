"""Events in words, one line each. Two events with the same line mean the same: no times, no transaction numbers.

Faults are left out: when two runs are compared, what the storm did is known, and what it led to is the question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.history import Book, Event, Fail, History, Invoke, Notice, Ok, Read, State, Unknown
from chaos.words import Words, yuan

TEXTS = Path(__file__).with_name("texts.yaml")

_TOLD: Mapping[str, tuple[str, ...]] = {
    "orders": ("payable_fen", "captured_fen", "delivered_qty", "refunded_qty"),
    "charges": ("amount_fen", "paid_fen", "status"),
    "idempotency": ("status",),
    "products": ("shown",),
    "cards": ("status", "order_id"),
    "postings": ("posting", "lines"),
    "wallets": ("balance_fen", "provisional_fen"),
    "memberships": (),
    "grants": ("days",),
    "attempts": ("supplier", "status", "delivered"),
    "refunds": ("intent", "amount_fen", "status"),
    "compensations": ("rule", "action", "amount_fen", "status"),
    "inbox": ("event", "paid_fen", "status"),
    "outbox": ("topic", "status"),
    "tickets": ("reason", "status"),
}
"""What of a row is told."""

_NUMBERED = ("postings", "grants", "compensations", "tickets")
"""Tables whose keys only count; their rows are named by what they belong to."""

_UNTOLD = (
    "channel",
    "transaction_id",
    "payer",
    "notify_id",
    "sku",
    "unit_fen",
    "charge_no",
    "order_id",
    "cost_fen",
    "refund_no",
)
_GROUPS = {
    "status": "status",
    "topic": "topic",
    "call": "call",
    "result": "answer",
    "posting": "posting",
    "reason": "ticket",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One event in words. `lane` is user, platform, channel, supplier or stock."""

    t_us: int
    lane: str
    text: str

    @property
    def meaning(self) -> tuple[str, str]:
        """Equal for events that mean the same."""
        return self.lane, self.text


def spoken(history: History, lang: str) -> list[Said]:
    """A whole history in words."""
    speaker = _Speaker(Words(lang, TEXTS))
    said = []
    seen: dict[str, tuple[str, str]] = {}
    for event in history.events:
        tell: Callable[[_Speaker, Any], tuple[str, str] | None] | None = _TELL.get(type(event))
        line = tell(speaker, event) if tell is not None else None
        if line is None:
            continue
        again = _asked_again(event)
        if again and seen.get(again) == line:
            continue
        seen[again] = line
        said.append(Said(event.t_us, *line))
    return said


def _asked_again(event: Event) -> str:
    """What a look or a query asks about: the same answer to the same question is told once."""
    if isinstance(event, Ok | Fail | Unknown) and event.action.startswith("view_"):
        return f"{event.user} {event.action} {event.result.get('order_id', '')}"
    return f"{event.party} {event.ref}" if isinstance(event, Book) and event.entry == "answered" else ""


class _Speaker:
    """Finds the words; remembers the rows, to say what changed of them."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._rows: dict[tuple[str, str], Mapping[str, Any]] = {}

    def invoke(self, event: Invoke) -> tuple[str, str] | None:
        """What a user wants; a mere look is told by what it shows."""
        if event.action.startswith("view_"):
            return None
        said = {"user": event.user, "action": self._words.named("action", event.action)}
        amount = {"amount": yuan(event.args.get("amount_fen", 0))}
        key = f"say.invoke.{event.action}"
        if event.action not in ("place_order", "pay"):
            key = "say.invoke"
        return "user", self._words(key, **{**event.args, **said, **amount})

    def answer(self, event: Ok | Fail | Unknown) -> tuple[str, str]:
        """What came back."""
        details = self._details(event.result, [name for name in event.result if name not in _UNTOLD])
        action = self._words.named("action", event.action)
        key = f"say.{type(event).__name__.lower()}"
        return "user", self._words(key, user=event.user, action=action, details=details)

    def state(self, event: State) -> tuple[str, str] | None:
        """A committed row, by what changed of it."""
        row, before = event.row, self._rows.get((event.table, event.key))
        if row is not None:
            self._rows[event.table, event.key] = row
        lane = "stock" if event.book == "STK" else "platform"
        if event.table == "order_log":
            return lane, self._log(row or {})
        named = (row or before or {}).get("order_id") if event.table in _NUMBERED else None
        said = {"noun": self._words.named("noun", event.table), "key": named or event.key}
        if event.op in ("delete", "revert") or row is None:
            return lane, self._words(f"say.{event.op}", **said)
        told = _TOLD.get(event.table, ())
        if before is not None and event.op == "update":
            told = tuple(name for name in told if before[name] != row[name])
            details = self._list([self._change(name, before[name], row[name]) for name in told])
        else:
            details = self._details(row, told)
        return (lane, self._words(f"say.{event.op}", **said, details=details)) if details else None

    def _log(self, row: Mapping[str, Any]) -> str:
        before, after = (
            self._words.named("status", row.get(name) or "none") for name in ("from_status", "to_status")
        )
        return self._words("say.log", order=row.get("order_id", ""), before=before, after=after)

    def book(self, event: Book) -> tuple[str, str]:
        """An entry in a counterparty's book."""
        entry = self._words.named("entry", event.entry)
        details = self._details(event.data, [name for name in event.data if name not in _UNTOLD])
        lane = "channel" if event.party == "CH" else "supplier"
        return lane, self._words("say.book", entry=entry, ref=event.ref, details=details or "–")

    def notice(self, event: Notice) -> tuple[str, str]:
        """What a user was told unasked."""
        topic = self._words.named("topic", event.topic)
        return "user", self._words("say.notice", user=event.user, topic=topic, order=event.order_id)

    def read(self, event: Read) -> tuple[str, str]:
        """A last look."""
        details = self._details(event.value, [name for name in event.value if name not in _UNTOLD])
        subject = self._words.named("noun", f"{event.subject}s")
        return "user", self._words("say.read", subject=subject, key=event.key, details=details)

    def _details(self, data: Mapping[str, Any], names: list[str] | tuple[str, ...]) -> str:
        told = [name for name in names if not name.endswith("_us") and data[name] not in ("", None)]
        return self._list(
            [
                self._words("say.is", field=self._field(name), value=self._shown(name, data[name]))
                for name in told
            ]
        )

    def _change(self, name: str, before: Any, after: Any) -> str:
        shown = {"before": self._shown(name, before), "after": self._shown(name, after)}
        return self._words("say.changed", field=self._field(name), **shown)

    def _list(self, parts: list[str]) -> str:
        return self._words.listed(parts)

    def _field(self, name: str) -> str:
        return self._words.named("field", name)

    def _shown(self, name: str, value: Any) -> str:
        if name.endswith("_fen"):
            return yuan(value)
        if name == "lines":
            return "; ".join(f"{account} {yuan(fen)}" for account, fen in value)
        if isinstance(value, list | tuple):
            return "; ".join(map(str, value)) or "–"
        if name in _GROUPS and isinstance(value, str):
            return self._words.named(_GROUPS[name], value)
        return str(value) if value != "" else "–"


_TELL: Mapping[type[Any], Callable[[_Speaker, Any], tuple[str, str] | None]] = {
    Invoke: _Speaker.invoke,
    Ok: _Speaker.answer,
    Fail: _Speaker.answer,
    Unknown: _Speaker.answer,
    State: _Speaker.state,
    Book: _Speaker.book,
    Notice: _Speaker.notice,
    Read: _Speaker.read,
}
