"""One shop on a simulated kernel and database, with scripted counterparties: what every test here uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from reference_platform import designs
from reference_platform.platform import OrderPlatform
from reference_platform.ports import SECOND, Platform, Ports, Request, Response, Table
from reference_platform.tables import CARDS, MEMBERSHIPS, ORDER_LOG, ORDERS, PRODUCTS, TABLES, WALLETS
from reference_platform.wiring import Config, Parts
from sim.clock import EPOCH_US
from sim.database.config import DatabaseConfig
from sim.database.server import DatabaseServer
from sim.ids import StableIds
from sim.kernel import Kernel
from sim.node import Handler, Incarnation, Node
from tests.reference_platform.scripted import FakeChannel, FakeSupplier

CARD, TOPUP, VIP = "game-100", "phone-50", "vip-month"
PRICES = {CARD: 1000, TOPUP: 500, VIP: 1500}


class Notices:
    """What users were told: (user, topic, order)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    async def notify(self, user: str, topic: str, order_id: str, data: Mapping[str, Any]) -> None:  # noqa: ARG002
        self.told.append((user, topic, order_id))

    def topics(self) -> list[str]:
        return [topic for _, topic, _ in self.told]


class Floor:
    """A running shop. Times are seconds of virtual time."""

    def __init__(
        self,
        design: str = "resilient",
        *,
        cards: int = 5,
        nodes: int = 1,
        wait_us: int = 0,
        member_fen: int = 0,
        wallet_fen: int = 0,
        member: bool = False,
        suppliers: tuple[str, ...] = ("alpha", "beta"),
        parts: Parts | None = None,
        config: Config | None = None,
    ) -> None:
        self.kernel = Kernel()
        self.database = DatabaseServer(self.kernel, TABLES, DatabaseConfig(), on_commit=self._committed)
        self.commits = 0
        self.channels = {name: FakeChannel(name, self.kernel, EPOCH_US) for name in ("wechat", "alipay")}
        self.channel = self.channels["wechat"]
        self.suppliers = {name: FakeSupplier(name) for name in suppliers}
        self.alpha = self.suppliers[suppliers[0]]
        self.notices = Notices()
        self.ids = StableIds()
        self._design = designs.load(design)
        self._parts = parts
        self._config = config or self._design.config
        self.platforms: dict[str, OrderPlatform] = {}
        self._load(cards, wait_us, member_fen, wallet_fen, member, suppliers)
        self.nodes = {
            f"platform-{n}": Node(self.kernel, f"platform-{n}", self._boot) for n in range(1, nodes + 1)
        }
        for node in self.nodes.values():
            node.start()
        self.run_for(0.01)

    def _load(
        self,
        cards: int,
        wait_us: int,
        member_fen: int,
        wallet_fen: int,
        member: bool,
        suppliers: tuple[str, ...],
    ) -> None:
        kinds = {CARD: "card", TOPUP: "topup", VIP: "membership"}
        load = self.database.load
        for sku, kind in kinds.items():
            row = {"sku": sku, "kind": kind, "unit_fen": PRICES[sku], "member_fen": member_fen, "days": 30}
            row |= {"suppliers": suppliers, "shown": cards, "disclosed_wait_us": wait_us}
            load(PRODUCTS, [row])
        for n in range(cards):
            card = {"card_id": f"card-{n}", "sku": CARD, "secret": f"secret-{n}", "status": "available"}
            load(CARDS, [card | {"order_id": ""}])
        if wallet_fen:
            load(WALLETS, [{"user": "ann", "balance_fen": wallet_fen, "provisional_fen": 0}])
        if member:
            load(MEMBERSHIPS, [{"user": "ann", "until_us": EPOCH_US + 10**12}])

    def _boot(self, incarnation: Incarnation) -> Handler:
        name = incarnation.name
        incarnation.on_crash.append(lambda: self.database.abandon(name))
        ports = Ports(
            node=name,
            clock=incarnation.clock,
            database=self.database.connect(name),
            channels=self.channels,
            suppliers=self.suppliers,
            notifier=self.notices,
            ids=self.ids,
            tasks=cast(Any, incarnation),
        )
        if self._parts is not None:
            from reference_platform.platform import assemble

            platform = assemble(self._parts, self._config, ports)
        else:
            platform = self._design.build(ports, self._config)
        self.platforms[name] = platform
        started: Platform = platform
        started.start()
        return platform.handle

    def _committed(self, tx: int, owner: str, changes: list[Any]) -> None:  # noqa: ARG002 - only counted
        self.commits += 1

    # ------------------------------------------------------------ acting

    @property
    def now_s(self) -> float:
        return self.kernel.now / SECOND

    def run_for(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.kernel.run_until(self.kernel.now + int(seconds * SECOND))

    def send(self, request: Request, node: str = "platform-1") -> Response:
        """One request, to its answer."""
        answers: list[Response] = []
        self.send_later(request, answers, node)
        while not answers:
            self.run_for(0.01)
        return answers[0]

    def send_later(self, request: Request, answers: list[Response], node: str = "platform-1") -> None:
        """A request whose answer comes when it comes; for requests that race."""
        incarnation = self.nodes[node].incarnation
        assert incarnation is not None
        assert incarnation.handler is not None
        handler = incarnation.handler

        async def ask() -> None:
            answers.append(await handler(request))

        incarnation.spawn(ask(), request.action)

    def ask(self, action: str, user: str = "ann", /, **body: Any) -> Response:
        return self.send(Request(action, user, body))

    def order(self, sku: str = CARD, quantity: int = 1, key: str = "k1", pay_with: str = "wechat") -> str:
        """Place an order; its number."""
        answer = self.ask(
            "place_order", client_key=key, sku=sku, quantity=quantity, pay_with=pay_with, account="138"
        )
        assert answer.status == 200, answer.body
        return str(answer.body["order_id"])

    def pay(self, order_id: str, n: int = 1, paid_fen: int | None = None) -> Response:
        """Pay a charge of the order, and let the callback arrive."""
        return self.send(self.channel.pay(f"{order_id}/c{n}", paid_fen))

    def buy(self, sku: str = CARD, quantity: int = 1, key: str = "k1") -> str:
        """Order and pay."""
        order_id = self.order(sku, quantity, key)
        assert self.pay(order_id).status == 200
        return order_id

    # ------------------------------------------------------------ looking

    def rows(self, table: Table[Any], **where: Any) -> list[dict[str, Any]]:
        """Committed rows, read by an onlooker."""
        found: list[dict[str, Any]] = []
        client = self.database.connect("onlooker")

        async def look() -> None:
            async with client.transaction() as tx:
                found.extend(dict(row) for row in await tx.select(table, where))

        self.kernel.spawn(look(), "onlooker")
        self.run_for(0.001)
        return found

    def row(self, table: Table[Any], **where: Any) -> dict[str, Any]:
        (only,) = self.rows(table, **where)
        return only

    def status(self, order_id: str) -> str:
        return str(self.row(ORDERS, order_id=order_id)["status"])

    def path(self, order_id: str) -> list[str]:
        """The order's statuses, by its audit log."""
        log = self.rows(ORDER_LOG, order_id=order_id)
        steps = {row["from_status"]: row["to_status"] for row in log}
        path, at = [], ""
        while at in steps:
            at = steps.pop(at)
            path.append(at)
        return path

    def balance(self, account: str) -> int:
        """An account of the ledger: debits less credits."""
        from reference_platform.tables import POSTINGS

        return sum(fen for row in self.rows(POSTINGS) for name, fen in row["lines"] if name == account)
