"""A town with members, one or two channels, and a shop that keeps its orders in a dict.

The shop is the simplest honest platform: it opens a charge, completes on the callback, and answers
views. Tests bend it by replacing single answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from chaos.history import Fail, Header, History, Invoke, Ok, Unknown
from reference_platform.ports import MINUTE, Request, Response
from sim.counterparties.adapters import post_by
from sim.counterparties.channel import Channel
from sim.counterparties.contracts import CONTRACTS
from sim.counterparties.signatures import MacSeal
from sim.kernel import Kernel
from sim.network import Network
from sim.node import Handler, Incarnation, Node
from sim.people import Members, Phone, Shop
from sim.randomness import Streams
from sim.storm import CALM, Storm
from sim.traffic import Arrival

SEAL = MacSeal(b"town")
SHOP = Shop(
    kinds={"card": "card", "gold": "card", "phone": "topup", "vip": "membership"},
    prices_fen={"card": 500, "gold": 800, "phone": 1000, "vip": 2000},
)
Bend = Callable[[Request], Response | None]


class Town:
    """`bend(request)` may answer in the shop's place; None lets the shop answer."""

    def __init__(
        self,
        *,
        storm: Storm = CALM,
        channels: Iterable[str] = ("wechat",),
        bend: Bend = lambda _: None,
        seed: int = 1,
    ) -> None:
        self.kernel = kernel = Kernel()
        self.history = History(_HEADER, lambda: kernel.now)
        streams = Streams(seed)
        self.network = network = Network(kernel, streams)
        network.connect("users", "edge", 10_000)
        self.channels: dict[str, Channel] = {}
        for name in channels:
            network.connect(name, "edge", 10_000)
            self.channels[name] = Channel(
                name,
                CONTRACTS[name],
                app_id="app",
                timers=kernel,
                post=post_by(kernel, network, name),
                seal=SEAL,
                recorder=self.history,
                streams=streams,
                epoch_us=0,
                storm=storm,
            )
        self.orders: dict[str, dict[str, Any]] = {}
        self.wallet = {"balance_fen": 0, "provisional_fen": 0}
        self.bend = bend
        self.edge = Node(kernel, "edge", self._boot)
        network.attach(self.edge)
        self.edge.start()
        self.phone = Phone(kernel, network.link("users", "edge"), self.history, self.channels)
        self.members = Members(kernel, self.phone, streams, SHOP, storm)

    def _boot(self, _: Incarnation) -> Handler:
        async def serve(request: Request) -> Response:
            bent = self.bend(request)
            return self._serve(request) if bent is None else bent

        return serve

    def _serve(self, request: Request) -> Response:
        body = request.body
        if request.action.startswith("callback."):
            message = SEAL.open(request.headers, request.raw)
            assert message is not None
            order = self.orders.get(message.resource["charge_no"].partition("/")[0])
            if order is not None:
                order["status"] = "completed" if message.event == "SUCCESS" else "refunded"
            return Response(200, raw=b"success")
        if request.action == "place_order":
            return Response(200, self._place(request))
        if request.action == "new_charge":
            return Response(200, self._charge(body["order_id"], 2, body["channel"]))
        if request.action == "view_order":
            order = self.orders[body["order_id"]]
            return Response(200, {"order_id": body["order_id"], "status": order["status"]})
        if request.action == "view_wallet":
            return Response(200, dict(self.wallet))
        return Response(200, {})

    def _place(self, request: Request) -> dict[str, Any]:
        body = request.body
        order_id = f"O{body['client_key']}"
        if order_id not in self.orders:
            self.orders[order_id] = {
                "status": "created",
                "fen": SHOP.prices_fen[body["sku"]] * body["quantity"],
            }
        if body["pay_with"] == "wallet":
            self.orders[order_id]["status"] = "completed"
            return {"order_id": order_id, "status": "completed", "charge_no": "", "channel": "wallet"}
        return {"status": "created", **self._charge(order_id, 1, body["pay_with"])}

    def _charge(self, order_id: str, n: int, channel: str) -> dict[str, Any]:
        charge_no, fen = f"{order_id}/c{n}", self.orders[order_id]["fen"]
        if charge_no not in self.channels[channel].till.charges:
            self.channels[channel].till.create(charge_no, fen, self.kernel.now + 15 * MINUTE)
        return {"order_id": order_id, "charge_no": charge_no, "channel": channel, "payable_fen": fen}

    def live(self, *wishes: tuple[str, str], pay_with: str = "wechat", until_us: int = 180 * MINUTE) -> Town:
        """Let (user, sku) arrive one second apart, and wait."""
        self.members.start(
            Arrival(n, n * 1_000_000, user, sku, 1, pay_with) for n, (user, sku) in enumerate(wishes)
        )
        self.kernel.run_until(until_us)
        return self

    def story(self, *actions: str) -> list[str]:
        """The operations of everybody, as `action` when asked and `action:outcome` when known."""
        told = []
        for event in self.history.events:
            if isinstance(event, Invoke):
                told.append(event.action)
            elif isinstance(event, (Ok, Fail, Unknown)):
                told.append(f"{event.action}:{type(event).__name__.lower()}")
        return [line for line in told if not actions or line.partition(":")[0] in actions]

    def times(self, action: str) -> list[int]:
        """When the action was asked for."""
        return [e.t_us for e in self.history.events if isinstance(e, Invoke) and e.action == action]

    def args(self, action: str) -> list[dict[str, Any]]:
        return [dict(e.args) for e in self.history.events if isinstance(e, Invoke) and e.action == action]


_HEADER = Header(schema=1, version="0", scenario="", design="", seed=1, heal_us=0, settle_by_us=0, end_us=0)
