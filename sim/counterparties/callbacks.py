"""Sending a callback until it is acknowledged: schedule, books, and what can go wrong on the way.

Channel and supplier both promise "we will tell you, several times, perhaps": this is that promise.
Delivery is not guaranteed. An answer that comes late or not at all counts as a refusal, and the
next attempt follows by schedule, counted from the attempt before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from reference_platform.ports import SECOND, Request, Response
from sim.counterparties.host import Host
from sim.counterparties.signatures import Message


class Callback:
    """One notice and its attempts. `site` names it within its `ref`; its id is stable over retries."""

    __slots__ = ("accepted", "attempt", "message", "ref", "site")

    def __init__(self, ref: str, site: str, message: Message) -> None:
        self.ref = ref
        self.site = site
        self.message = message
        self.attempt = 0
        self.accepted = False


class Owner(Protocol):
    """Whose callbacks these are; it keeps the books."""

    def callback_sent(self, callback: Callback) -> None: ...

    def callback_answered(
        self, callback: Callback, attempt: int, response: Response, accepted: bool
    ) -> None: ...


class Callbacks:
    """The sender. `kind` (channel or supplier) prefixes the names of the faults that strike here."""

    def __init__(
        self,
        host: Host,
        owner: Owner,
        kind: str,
        *,
        action: str,
        retry_us: Sequence[int],
        ack_timeout_us: int,
        accepts: Callable[[Response], bool],
    ) -> None:
        self._host = host
        self._owner = owner
        self._action = action
        self._retry_us = retry_us
        self._ack_timeout_us = ack_timeout_us
        self._accepts = accepts
        self._loss, self._duplicate = f"{kind}.callback_loss", f"{kind}.callback_duplicate"
        self._delay, self._reorder = f"{kind}.callback_delay", f"{kind}.callback_reorder"
        self._stormy = any(
            host.storm.has(fault) for fault in (self._loss, self._duplicate, self._delay, self._reorder)
        )

    def start(self, callback: Callback, delay_us: int) -> None:
        """Send the first attempt after `delay_us`, and then the retries."""
        if self._stormy:
            delay_us += self._held_back_us(callback)
        self._host.after(delay_us, self._send, callback)

    def sealed(self, message: Message, attempt: int) -> Request:
        """The signed request of one attempt: a fresh time and nonce, the same message."""
        timestamp_s = self._host.now_us // SECOND
        headers, raw = self._host.seal.close(message, timestamp_s, f"{message.notify_id}.{attempt}")
        return Request(self._action, "", raw=raw, headers=headers)

    def _held_back_us(self, callback: Callback) -> int:
        """A late queue delays the whole notice, retries included: single attempts can be overtaken anyway."""
        site, name, held_us = (callback.ref, callback.site), self._host.name, 0
        if (late := self._host.storm.at(self._delay, name, site)) is not None:
            held_us += late["delay_us"]
        if (mixed := self._host.storm.at(self._reorder, name, site)) is not None:
            held_us += self._host.between_us((0, mixed["spread_us"]), "callback.reorder", *site)
        return held_us

    def _send(self, callback: Callback) -> None:
        callback.attempt = attempt = callback.attempt + 1
        request = self.sealed(callback.message, attempt)
        self._owner.callback_sent(callback)
        if self._stormy and self._struck(callback, attempt, request):
            self._retry_later(callback, self._host.timers.now)
            return
        key = ("callback", callback.ref, callback.site, str(attempt))
        self._host.post(
            request, self._ack_timeout_us, key, self._answered, callback, attempt, self._host.timers.now
        )

    def _struck(self, callback: Callback, attempt: int, request: Request) -> bool:
        """True when this attempt is lost on the way. Doubled attempts get their copies here."""
        site, name = (callback.ref, callback.site, str(attempt)), self._host.name
        if self._host.storm.at(self._loss, name, site) is not None:
            return True
        if (doubled := self._host.storm.at(self._duplicate, name, site)) is not None:
            for copy in range(1, doubled["copies"] + 1):
                self._host.after(
                    copy * doubled["spacing_us"], self._send_copy, callback, attempt, request, copy
                )
        return False

    def _send_copy(self, callback: Callback, attempt: int, request: Request, copy: int) -> None:
        self._owner.callback_sent(callback)
        key = ("callback", callback.ref, callback.site, str(attempt), f"copy{copy}")
        self._host.post(request, self._ack_timeout_us, key, self._copy_answered, callback, attempt)

    def _copy_answered(self, callback: Callback, attempt: int, response: Response | None) -> None:
        if response is not None:
            accepted = self._accepts(response)
            self._owner.callback_answered(callback, attempt, response, accepted)
            callback.accepted = callback.accepted or accepted

    def _answered(self, callback: Callback, attempt: int, sent_us: int, response: Response | None) -> None:
        self._copy_answered(callback, attempt, response)
        if not callback.accepted:
            self._retry_later(callback, sent_us)

    def _retry_later(self, callback: Callback, sent_us: int) -> None:
        if callback.attempt <= len(self._retry_us):
            self._host.timers.call_at(sent_us + self._retry_us[callback.attempt - 1], self._retry, callback)

    def _retry(self, callback: Callback) -> None:
        if not callback.accepted:  # a copy may have been accepted meanwhile
            self._send(callback)
