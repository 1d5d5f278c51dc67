"""A node's doors: what the network and the counterparty do comes out as the ports' own outcomes."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest

from chaos.history import Book, Notice
from reference_platform.ports import (
    MINUTE,
    SECOND,
    BillLine,
    ChargeState,
    OutcomeUnknown,
    PortError,
    Rejected,
    Request,
    Response,
    SupplierReply,
    Unreachable,
)
from sim.counterparties.adapters import (
    ChannelPort,
    NoticePort,
    SupplierPort,
    channel_node,
    post_by,
    supplier_node,
    users_node,
)
from sim.counterparties.channel import Channel
from sim.counterparties.contracts import WECHAT
from sim.counterparties.fate import Terms
from sim.counterparties.supplier import Supplier
from sim.kernel import NodeDead
from sim.network import Down, Loss, Network
from sim.node import Node
from sim.randomness import Streams
from sim.storm import CALM, Storm
from tests.sim.counterparties.scene import SEAL, Scene, Sure

PARTIES = ("wechat", "alpha", "users")


class House:
    """One platform node with its ports, a channel, a supplier and the users, over a network."""

    def __init__(self, storm: Storm = CALM) -> None:
        self.scene = Scene()
        self.kernel = kernel = self.scene.kernel
        self.network = network = Network(kernel, Streams(1))
        for party in PARTIES:
            network.connect("platform-1", party, 1000)
            network.connect(party, "edge", 1000)
        shared: dict[str, Any] = {
            "timers": kernel,
            "seal": SEAL,
            "recorder": self.scene.history,
            "streams": Streams(1),
            "epoch_us": 0,
            "storm": storm,
        }
        self.channel = Channel(
            "wechat", WECHAT, app_id="app", post=post_by(kernel, network, "wechat"), **shared
        )
        supplier = Supplier(
            "alpha", post=post_by(kernel, network, "alpha"), terms=Terms(direct_share=1.0), **shared
        )
        self._start("wechat", channel_node(kernel, self.channel))
        self._start("alpha", supplier_node(kernel, supplier))
        self._start("users", users_node(self.scene.history))
        self.callbacks: list[Request] = []
        self._start("edge", lambda _: self._called_back)
        self.platform = self._start("platform-1", lambda _: None)
        assert self.platform.incarnation is not None
        self.pay = ChannelPort(self.channel, SEAL, self.platform.incarnation, network)
        self.supply = SupplierPort("alpha", SEAL, self.platform.incarnation, network)
        self.notices = NoticePort(self.platform.incarnation, network)

    def _start(self, name: str, boot: Any) -> Node:
        node = Node(self.kernel, name, boot)
        self.network.attach(node)
        node.start()
        return node

    async def _called_back(self, request: Request) -> Response:
        self.callbacks.append(request)
        return Response(200)

    def do(self, work: Coroutine[Any, Any, Any], wait_us: int = MINUTE) -> Any:
        """What the coroutine returns, or its error in its place."""

        async def caught() -> Any:
            try:
                return await work
            except (PortError, NodeDead) as error:
                return error

        task = self.kernel.spawn(caught())
        self.kernel.run_until(self.kernel.now + wait_us)
        return task.value


def test_a_charge_lives_through_the_port() -> None:
    """Create, query, capture, refund, its query and the bill, as the platform sees them."""
    house = House()
    pay = house.pay
    assert house.do(pay.create("O1/c1", 1000, 15 * MINUTE)) == "pay://wechat/O1/c1"
    assert house.do(pay.query("O1/c1")) == ChargeState("NOTPAY")
    house.channel.pay("O1/c1", "u1")
    paid_us = house.kernel.now
    assert house.do(pay.query("O1/c1")) == ChargeState("SUCCESS", 1000, "Twechat-O1/c1", paid_us)
    assert house.do(pay.refund("O1/r1", "O1/c1", 1000), 2 * MINUTE) is None
    assert house.do(pay.query_refund("O1/r1")) == "SUCCESS"
    capture, refund = house.do(pay.bill(0, 60 * MINUTE))
    assert capture == BillLine("capture", "O1/c1", "Twechat-O1/c1", 1000, paid_us)
    assert (refund.kind, refund.ref, refund.amount_fen) == ("refund", "O1/r1", 1000)


def test_a_callback_reaches_the_edge_and_is_verified_there() -> None:
    """Signed bytes in, a notice out; another seal or changed bytes give None."""
    house = House()
    house.do(house.pay.create("O1/c1", 1000, 15 * MINUTE))
    house.channel.pay("O1/c1", "u1")
    house.kernel.run_until(house.kernel.now + SECOND)
    (request,) = house.callbacks
    notice = house.pay.verify(request.headers, request.raw)
    assert notice is not None
    assert (notice.notify_id, notice.app_id, notice.charge_no) == ("O1/c1.n1", "app", "O1/c1")
    assert (notice.event, notice.paid_fen, notice.transaction_id) == ("SUCCESS", 1000, "Twechat-O1/c1")
    assert house.pay.verify(request.headers, request.raw + b" ") is None
    assert house.supply.verify({}, b"{}") is None


def test_a_supplier_attempt_lives_through_the_port() -> None:
    """Submit is answered when served; a query after three minutes says the same."""
    house = House()
    assert house.do(house.supply.submit("O1/s1", "credit", "a1", 2), 4 * MINUTE) == SupplierReply(
        "success", 2, 160
    )
    assert house.do(house.supply.query("O1/s1")) == SupplierReply("success", 2, 160)


def test_an_error_code_is_a_rejection() -> None:
    """The counterparty answered: certainly no effect."""
    house = House()
    house.do(house.pay.create("O1/c1", 1000, 15 * MINUTE))
    error = house.do(house.pay.close("O1/c1"))
    assert isinstance(error, Rejected)
    assert error.code == "TOO_EARLY"


def test_down_and_refused_are_unreachable() -> None:
    """Whether the channel says 503 or the connection is refused, it never took the request."""
    storm = House(Sure({"channel.down": {}}))
    assert type(storm.do(storm.pay.query("O1/c1"))) is Unreachable
    house = House()
    house.network.add(Down(), "platform-1", "wechat")
    assert type(house.do(house.pay.query("O1/c1"))) is Unreachable


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_no_answer_is_an_unknown_outcome(stream: Any) -> None:
    """Lost on the way there or back: the caller learns the same, the books differ."""
    house = House()
    house.network.add(Loss(), "platform-1", "wechat", stream=stream)
    assert type(house.do(house.pay.create("O1/c1", 1000, 15 * MINUTE))) is OutcomeUnknown
    assert len(house.scene.books("charge_opened")) == (stream == "downstream")


def test_a_silent_counterparty_is_an_unknown_outcome_after_the_time_out() -> None:
    """The channel took it and never answers; the caller is let go in time."""
    house = House(
        Sure({"channel.result_unknown": {"effect": True}, "supplier.result_unknown": {"effect": True}})
    )
    assert type(house.do(house.pay.create("O1/c1", 1000, 15 * MINUTE), 5 * SECOND)) is OutcomeUnknown
    assert type(house.do(house.supply.submit("O1/s1", "credit", "a", 1), 10 * SECOND)) is OutcomeUnknown
    entries = [event.entry for event in house.scene.history.events if isinstance(event, Book)]
    assert entries == ["charge_opened", "attempt_received", "delivered"]


def test_a_notice_is_shown_or_silently_lost() -> None:
    """Best effort: the platform is not told, only what was shown is in the history."""
    house = House()
    assert house.do(house.notices.notify("u1", "order_completed", "O1", {"n": 1})) is None
    house.network.add(Loss(), "platform-1", "users", stream="upstream")
    assert house.do(house.notices.notify("u1", "order_closed", "O2", {})) is None
    shown = [event for event in house.scene.history.events if isinstance(event, Notice)]
    assert [(event.user, event.topic, event.order_id, event.data) for event in shown] == [
        ("u1", "order_completed", "O1", {"n": 1})
    ]


def test_the_ports_of_a_dead_incarnation_reach_nobody() -> None:
    """After the crash every door raises NodeDead, and nothing is booked or shown."""
    house = House()
    house.platform.crash()
    for work in (
        house.pay.create("O1/c1", 1000, 15 * MINUTE),
        house.supply.submit("O1/s1", "credit", "a1", 1),
        house.notices.notify("u1", "order_completed", "O1", {}),
    ):
        assert type(house.do(work)) is NodeDead
    assert house.scene.history.events == []
