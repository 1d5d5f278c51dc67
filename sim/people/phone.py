"""What a person asks for and is told, written down as it happens: the USR book.

Every operation is recorded before it is sent and again when its outcome is known to the person.
Refused and 4xx are `fail` (certainly no effect); no answer and 5xx are `unknown`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

from reference_platform.ports import SECOND, OutcomeUnknown, Rejected, Request, Response, Unreachable
from sim.kernel import Kernel
from sim.network import Refused
from sim.recorder import Recorder

TIMEOUT_US: Final = 10 * SECOND
NO_ANSWER: Final = Response(504, {"error": "no answer"})
REFUSED: Final = Response(503, {"error": "refused"})


class Line(Protocol):
    """The way from people to the platform; `sim.network.Link` is one."""

    def call(self, request: Request, timeout_us: int, key: tuple[object, ...], /) -> Awaitable[Any]:
        """Send, and wait for a Response, `Refused` (certainly no effect) or `Unknown`. `key` names the call."""
        ...


class Till(Protocol):
    """Where people pay: the channel's own app. `sim.counterparties.Channel` says what each call does."""

    def pay(self, charge_no: str, payer: str) -> int: ...

    def pay_static(self, charge_no: str, payer: str, amount_fen: int) -> int: ...

    def linger(self, charge_no: str, on_close: Callable[[], None]) -> None: ...


class Phone:
    """The app in everybody's hand."""

    def __init__(self, kernel: Kernel, line: Line, recorder: Recorder, channels: Mapping[str, Till]) -> None:
        self._kernel = kernel
        self._line = line
        self._recorder = recorder
        self.channels = channels

    async def ask(self, user: str, action: str, args: Mapping[str, Any], key: tuple[object, ...]) -> Response:
        """Ask the platform. `key` names this very request. NO_ANSWER and REFUSED stand for silence."""
        recorder = self._recorder
        op = recorder.invoke(user, action, args)
        outcome = await self._line.call(Request(action, user, args), TIMEOUT_US, key)
        if type(outcome) is Response:
            status = outcome.status
            if status < 300:
                recorder.ok(op, user, action, outcome.body)
            elif status < 500:
                recorder.fail(op, user, action, {"status": status, **outcome.body})
            else:
                recorder.unknown(op, user, action, {"status": status, **outcome.body})
            return outcome
        if type(outcome) is Refused:
            recorder.fail(op, user, action, REFUSED.body)
            return REFUSED
        recorder.unknown(op, user, action, NO_ANSWER.body)
        return NO_ANSWER

    def ask_and_drop(self, user: str, action: str, args: Mapping[str, Any], key: tuple[object, ...]) -> None:
        """Ask, and lose the connection before the answer comes."""
        op = self._recorder.invoke(user, action, args)
        self._kernel.spawn(self._unheard(Request(action, user, args), key), "dropped request")
        self._recorder.unknown(op, user, action, {"error": "connection lost"})

    async def _unheard(self, request: Request, key: tuple[object, ...]) -> None:
        await self._line.call(request, TIMEOUT_US, key)

    def pay(self, user: str, args: Mapping[str, Any]) -> str:
        """Pay a charge in the channel's own app. "ok", the code of the refusal, or "NO_ANSWER"."""
        channel = self.channels[args["channel"]]
        op = self._recorder.invoke(user, "pay", args)
        try:
            if args["order_id"]:
                paid_fen = channel.pay(args["charge_no"], user)
            else:
                paid_fen = channel.pay_static(args["charge_no"], user, args["amount_fen"])
        except Rejected as error:
            self._recorder.fail(op, user, "pay", {"code": error.code})
            return error.code
        except Unreachable:
            self._recorder.fail(op, user, "pay", {"code": "UNREACHABLE"})
            return "UNREACHABLE"
        except OutcomeUnknown:
            self._recorder.unknown(op, user, "pay", {"code": "NO_ANSWER"})
            return "NO_ANSWER"
        self._recorder.ok(op, user, "pay", {"paid_fen": paid_fen})
        return "ok"

    def pay_and_drop(self, user: str, args: Mapping[str, Any], *, effect: bool) -> None:
        """Pay, and lose the connection: `effect` says whether the payment got through first."""
        op = self._recorder.invoke(user, "pay", args)
        if effect:
            with suppress(Rejected, Unreachable, OutcomeUnknown):  # nor would the user hear of a refusal
                self.channels[args["channel"]].pay(args["charge_no"], user)
        self._recorder.unknown(op, user, "pay", {"error": "connection lost"})
