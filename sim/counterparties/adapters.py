"""The doors between a simulated node and the counterparties: ports on one side, network on the other.

A port object belongs to one incarnation of a node; in the hands of a dead one it raises `NodeDead`.
Foreign outcomes are translated here, once: refused is `Unreachable` (certainly no effect), no answer
is `OutcomeUnknown`, an error code is `Rejected`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from reference_platform.adapters.seals import Check, attempt_reply, payment_notice
from reference_platform.ports import (
    SECOND,
    BillLine,
    ChargeState,
    OutcomeUnknown,
    PaymentNotice,
    Rejected,
    Request,
    Response,
    SupplierReply,
    Unreachable,
)
from sim.counterparties.channel import Channel
from sim.counterparties.host import Post
from sim.counterparties.supplier import Supplier
from sim.kernel import Future, Kernel, NodeDead, sleep
from sim.network import Link, Network, Refused
from sim.node import Handler, Incarnation, Node
from sim.recorder import Recorder

CALL_TIMEOUT_US: Final = 5 * SECOND
SUBMIT_TIMEOUT_US: Final = 10 * SECOND
NOTIFY_TIMEOUT_US: Final = 5 * SECOND
BACK_LOOK_US: Final = SECOND


class Line:
    """Calls of one incarnation to one counterparty."""

    __slots__ = ("_asked", "_incarnation", "_link")

    def __init__(self, incarnation: Incarnation, link: Link) -> None:
        self._incarnation = incarnation
        self._link = link
        self._asked: dict[tuple[str, str], int] = {}

    async def ask(
        self, call: str, number: str, body: Mapping[str, Any], timeout_us: int
    ) -> Mapping[str, Any]:
        """The body of the answer; or Unreachable, OutcomeUnknown, Rejected."""
        if not self._incarnation.alive:
            raise NodeDead(self._incarnation.name)
        link, key = self._link, ()
        if not link.plain:  # only then does anybody draw by the key
            key = self._key(call, number)
        outcome = await link.call(Request(call, self._incarnation.name, body), timeout_us, key)
        if type(outcome) is Response:
            status = outcome.status
            if status == 200:
                return outcome.body
            if status == 503:
                raise Unreachable(f"{link.dst} refuses {call}")
            raise Rejected(outcome.body["code"])
        if type(outcome) is Refused:
            raise Unreachable(f"{link.dst} cannot be reached: {outcome.reason}")
        raise OutcomeUnknown(f"{call} {number} at {link.dst}: no answer")

    def _key(self, call: str, number: str) -> tuple[Any, ...]:
        self._asked[call, number] = n = self._asked.get((call, number), 0) + 1
        return (call, number, n)


class ChannelPort:
    """`PaymentChannel` for one incarnation."""

    def __init__(self, channel: Channel, seal: Check, incarnation: Incarnation, network: Network) -> None:
        self.name = channel.name
        self.app_id = channel.till.app_id
        self._seal = seal
        self._ask = Line(incarnation, network.link(incarnation.name, channel.name)).ask

    async def create(self, charge_no: str, amount_fen: int, expires_us: int) -> str:
        body = {"charge_no": charge_no, "amount_fen": amount_fen, "expires_us": expires_us}
        answer = await self._ask("create", charge_no, body, CALL_TIMEOUT_US)
        code_url: str = answer["code_url"]
        return code_url

    async def query(self, charge_no: str) -> ChargeState:
        return ChargeState(**await self._ask("query", charge_no, {"charge_no": charge_no}, CALL_TIMEOUT_US))

    async def close(self, charge_no: str) -> None:
        await self._ask("close", charge_no, {"charge_no": charge_no}, CALL_TIMEOUT_US)

    async def refund(self, refund_no: str, charge_no: str, amount_fen: int) -> None:
        body = {"refund_no": refund_no, "charge_no": charge_no, "amount_fen": amount_fen}
        await self._ask("refund", refund_no, body, CALL_TIMEOUT_US)

    async def query_refund(self, refund_no: str) -> str:
        answer = await self._ask("query_refund", refund_no, {"refund_no": refund_no}, CALL_TIMEOUT_US)
        status: str = answer["status"]
        return status

    async def bill(self, since_us: int, until_us: int) -> list[BillLine]:
        body = {"since_us": since_us, "until_us": until_us}
        answer = await self._ask("bill", str(since_us), body, CALL_TIMEOUT_US)
        return [
            BillLine(kind, charge_no, ref, fen, at_us) for at_us, kind, charge_no, ref, fen in answer["lines"]
        ]

    def verify(self, headers: Mapping[str, str], raw: bytes) -> PaymentNotice | None:
        return payment_notice(self._seal.open(headers, raw))


class SupplierPort:
    """`Supplier` for one incarnation."""

    def __init__(self, name: str, seal: Check, incarnation: Incarnation, network: Network) -> None:
        self.name = name
        self._seal = seal
        self._ask = Line(incarnation, network.link(incarnation.name, name)).ask

    async def submit(self, attempt_no: str, sku: str, account: str, quantity: int) -> SupplierReply:
        body = {"attempt_no": attempt_no, "sku": sku, "account": account, "quantity": quantity}
        return SupplierReply(**await self._ask("submit", attempt_no, body, SUBMIT_TIMEOUT_US))

    async def query(self, attempt_no: str) -> SupplierReply:
        return SupplierReply(
            **await self._ask("query", attempt_no, {"attempt_no": attempt_no}, CALL_TIMEOUT_US)
        )

    def verify(self, headers: Mapping[str, str], raw: bytes) -> tuple[str, SupplierReply] | None:
        return attempt_reply(self._seal.open(headers, raw))


class NoticePort:
    """`Notifier` for one incarnation: best effort, a lost notice is nobody's error."""

    def __init__(self, incarnation: Incarnation, network: Network) -> None:
        self._incarnation = incarnation
        self._link = network.link(incarnation.name, "users")

    async def notify(self, user: str, topic: str, order_id: str, data: Mapping[str, Any]) -> None:
        if not self._incarnation.alive:
            raise NodeDead(self._incarnation.name)
        body = {"topic": topic, "order_id": order_id, "data": data}
        await self._link.call(Request("notice", user, body), NOTIFY_TIMEOUT_US, ("notice", order_id, topic))


# ---------------------------------------------------------------- nodes of the outside world


def channel_node(kernel: Kernel, channel: Channel) -> Callable[[Incarnation], Handler]:
    """The `boot` of a network node that hosts a channel."""

    async def serve(request: Request) -> Response:
        answer = channel.handle(request)
        if answer is None:
            await Future(kernel)  # for ever: the caller's time-out is all it will hear
            raise AssertionError("nobody sets this future")
        return answer

    return lambda _: serve


def supplier_node(kernel: Kernel, supplier: Supplier) -> Callable[[Incarnation], Handler]:
    """The `boot` of a network node that hosts a supplier."""

    async def serve(request: Request) -> Response:
        answer = Future(kernel)
        supplier.handle(request, answer.set)
        response: Response = await answer
        return response

    return lambda _: serve


def users_node(recorder: Recorder) -> Callable[[Incarnation], Handler]:
    """The `boot` of the node `users`: whatever arrives there has been shown to a user."""
    shown = Response(204)

    async def show(request: Request) -> Response:
        body = request.body
        recorder.notice(request.user, body["topic"], body["order_id"], body["data"])
        return shown

    return lambda _: show


def serves(network: Network, name: str) -> bool:
    """Whether the machine of a counterparty, if it has one, runs; if not, it has missed something."""
    node = network.nodes.get(name)
    if not isinstance(node, Node) or (node.alive and not node.paused):
        return True
    node.missed += 1
    return False


class HostedTill:
    """A channel's own app, which cannot be used while its machine is down. Implements `sim.people.phone.Till`."""

    def __init__(self, channel: Channel, network: Network) -> None:
        self._channel = channel
        self._network = network
        self.linger = channel.linger

    def pay(self, charge_no: str, payer: str) -> int:
        self._must_serve()
        return self._channel.pay(charge_no, payer)

    def pay_static(self, charge_no: str, payer: str, amount_fen: int) -> int:
        self._must_serve()
        return self._channel.pay_static(charge_no, payer, amount_fen)

    def _must_serve(self) -> None:
        if not serves(self._network, self._channel.name):
            raise Unreachable(self._channel.name)


def post_by(kernel: Kernel, network: Network, name: str) -> Post:
    """How the counterparty `name` posts its callbacks to the platform's edge.

    While its machine is down or frozen nothing leaves; what was due goes out when it is back.
    """
    link = network.link(name, "edge")

    async def deliver(
        request: Request,
        timeout_us: int,
        key: tuple[str, ...],
        answered: Callable[..., None],
        args: tuple[Any, ...],
    ) -> None:
        while not serves(network, name):
            await sleep(BACK_LOOK_US)
        outcome = await link.call(request, timeout_us, key)
        answered(*args, outcome if type(outcome) is Response else None)

    def post(
        request: Request, timeout_us: int, key: tuple[str, ...], answered: Callable[..., None], *args: Any
    ) -> None:
        delivery: Coroutine[Any, Any, None] = deliver(request, timeout_us, key, answered, args)
        kernel.spawn(delivery, "callback")

    return post
