"""A small live world for tests: real processes on real ports, without proxies, load or a conductor.

So run time goes by like the wall's. Channel, supplier, users, platform, database and balancer are the
hosts that a live run has.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from chaos.history import Event
from chaos.live import keys
from chaos.live.clock import SharedClock
from chaos.live.initdb import Installation
from chaos.live.journal import OPS_EACH, Tail
from chaos.live.ports import listens
from chaos.live.postgres import Server
from chaos.live.processes import Child, Supervisor
from chaos.live.settings import CounterpartySettings, EdgeSettings, PlatformSettings, Process, Upstream
from chaos.opening import Opening
from reference_platform import designs
from reference_platform.adapters import schema
from reference_platform.api.authentication import STAFF, Tokens
from reference_platform.ports import DAY
from reference_platform.tables import TABLES
from scenarios.model import Scenario
from sim.clock import EPOCH_US
from tests.chaos.worlds import PRODUCTS, storm

HOST = "127.0.0.1"
SCHEMA = "dingfeng"
SCARCE: dict[str, Any] = {"sku": "game-1", "kind": "card", "price_fen": 100, "stock": 9}
MODULES = {"platform": "platform_host", "edge": "balancer"}


class Answer(NamedTuple):
    """What came back."""

    status: int
    raw: bytes
    headers: dict[str, str]

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


def until(holds: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
    """Wait for a condition; fail when it does not come true."""
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s, f"never: {what}"
        time.sleep(0.02)


def door(caller: str, callee: str) -> str:
    """The name in `Stage.ports` of where a node calls."""
    return f"{caller}->{callee}"


class Stage:
    """The world. `directory` holds journals, settings and logs afterwards. Use it `with`."""

    def __init__(
        self,
        directory: Path,
        *,
        design: str = "resilient",
        scenario: Scenario | None = None,
        nodes: int = 1,
        database: bool = True,
        parts: Sequence[str] = (),
        begun: bool = True,
    ) -> None:
        """`parts` are the processes to start, in place of all. Time stands still until the clock is begun."""
        self.directory = directory
        self.design = design
        self.scenario = scenario or storm(
            products=[*PRODUCTS, SCARCE],
            wallet_fen=100_000,
            pay_with={"wechat": 1, "alipay": 1, "wallet": 1},
        )
        self.opening = Opening(self.scenario, designs.load(design), 1)
        self.clock = SharedClock.create(directory / "clock", 16)
        if begun:
            self.clock.begin()
        workload = self.scenario.workload
        self.channels, self.suppliers = workload.channels(), workload.suppliers()
        self.keys = keys.make((*self.channels, *self.suppliers))
        self.tokens = Tokens(self.keys.tokens.encode(), lambda: EPOCH_US + self.clock.now_us())
        self.nodes = [f"platform-{n}" for n in range(1, nodes + 1)]
        self.supervisor = Supervisor(directory)
        self.children: dict[str, Child] = {}
        everybody = (*self.channels, *self.suppliers, "users", "edge", *self.nodes)
        called = (*self.channels, *self.suppliers, "users")
        doors = [door(node, part) for node in self.nodes for part in called]
        self.ports = {name: self.supervisor.ports.free() for name in (*everybody, *doors)}
        self.names = tuple(parts) or everybody
        self.postgres: Server | None = None
        try:
            if database:
                self._database()
            for name in self.names:
                self.start(name)
            for name in self.names:
                self.ready(name)
        except BaseException:
            self.close()
            raise

    def _database(self) -> None:
        self.postgres = Server(Installation.find(), self.supervisor.ports.free())
        self.supervisor.vanish(self.postgres.folder)
        self.postgres.create()
        self.postgres.start()
        with closing(self.postgres.connect()) as connection:
            schema.create(connection, SCHEMA, TABLES)
            for table, rows in self.opening.rows():
                schema.load(connection, SCHEMA, table, rows)

    # ------------------------------------------------------------ processes

    def start(self, name: str) -> None:
        """Start a process for the first time."""
        path = self.settings(name).save(self.directory / f"{name}.json")
        module = MODULES.get(name.partition("-")[0], "counterparty_host")
        command = [sys.executable, "-m", f"chaos.live.{module}", str(path)]
        self.children[name] = self.supervisor.start(name, command)

    def ready(self, name: str) -> None:
        """Wait until it serves."""
        self.supervisor.wait_ready(self.children[name], lambda: self._healthy(name))

    def _healthy(self, name: str) -> bool:
        return listens(self.ports[name]) and self.ask("GET", "/health", to=name).status == 200

    def restart(self, name: str) -> None:
        """Kill it with -9, if it lives, and start it again."""
        self.children[name].restart()
        self.ready(name)

    def settings(self, name: str) -> Process:
        """What a process is told."""
        known: dict[str, Any] = {"name": name, "clock": self.clock.path, "port": self.ports[name]}
        known["scenario"] = self.scenario.model_dump(mode="json", by_alias=True)
        known |= {"design": self.design, "seed": 1, "openings": self.directory / "openings"}
        if name == "edge":
            nodes = [Upstream(node, self.url(node), f"{HOST}:{self.ports[node]}") for node in self.nodes]
            return EdgeSettings(**known, journal=self.directory / "edge.journal", nodes=nodes)
        if name in self.nodes:
            assert self.postgres is not None
            return PlatformSettings(
                **known,
                links={
                    party: self.url(door(name, party)) for party in (*self.channels, *self.suppliers, "users")
                },
                keys=self.keys.opening,
                database=self.postgres.url,
                schema=SCHEMA,
                ids=self.directory / "ids",
                machine_clock=self.directory / f"{name}.clock",
                token_key=self.keys.tokens,
                log=self.log_of(name),
            )
        return CounterpartySettings(
            **known,
            journal=self.directory / f"{name}.journal",
            inputs=self.directory / f"{name}.inputs",
            ops_from=list(self.ports).index(name) * OPS_EACH,
            edge=self.url("edge"),
            key=self.keys.sealing.get(name, ""),
            doors={node: self.ports[door(node, name)] for node in self.nodes},
        )

    def url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    def log_of(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def close(self) -> None:
        """Nothing is left."""
        try:
            if self.postgres is not None:
                self.postgres.close()
        finally:
            self.supervisor.close()
            self.clock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------ acting

    def bearer(self, user: str, role: str = "") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens.issue(user, 400 * DAY, role)}"}

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "",
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
        to: str = "edge",
        within_s: float = 60,
    ) -> Answer:
        """One request. `body` is sent as JSON, `raw` as it is."""
        sent = dict(headers or {})
        if user:
            sent |= self.bearer(user, STAFF if user == STAFF else "")
        if body is not None:
            raw = msgspec.json.encode(body)
            sent.setdefault("Content-Type", "application/json")
        with closing(HTTPConnection(HOST, self.ports[to], timeout=within_s)) as connection:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})

    def ask_in_vain(self, method: str, path: str, body: Any, *, to: str, within_s: float = 60) -> str:
        """A request that gets no answer; the name of what came instead."""
        try:
            answer = self.ask(method, path, body, to=to, within_s=within_s)
        except (OSError, HTTPException) as error:
            return type(error).__name__
        raise AssertionError(f"it was answered: {answer}")

    def order(
        self, user: str = "u1", key: str = "k1", sku: str = "game-100", pay_with: str = "wechat"
    ) -> Any:
        """Place an order; the answer's body."""
        wish = {"client_key": key, "sku": sku, "quantity": 1, "pay_with": pay_with}
        answer = self.ask("POST", "/orders", wish | {"account": "138"}, user=user)
        assert answer.status == 200, answer
        return answer.body

    def pay(self, order: Mapping[str, Any], user: str = "u1") -> Answer:
        body = {"charge_no": order["charge_no"], "user": user}
        return self.ask("POST", "/pay", body, to=order["channel"])

    def status(self, order_id: str, user: str = "u1") -> str:
        return str(self.ask("GET", f"/orders/{order_id}", user=user).body["status"])

    # ------------------------------------------------------------ looking

    def tables(self, without: Sequence[str] = ()) -> dict[str, list[str]]:
        """Every row of every table, as text, in order."""
        assert self.postgres is not None
        with closing(self.postgres.connect()) as connection:
            return {
                table.name: sorted(
                    str(row)
                    for row in connection.execute(f'select * from {SCHEMA}."{table.name}"').fetchall()
                )
                for table in TABLES
                if table.name not in without
            }

    def jobs(self) -> dict[str, int]:
        """When each job of the platform is due, by the platform's clock."""
        assert self.postgres is not None
        with closing(self.postgres.connect()) as connection:
            return dict(connection.execute(f"select job_id, due_us from {SCHEMA}.jobs").fetchall())

    def now_us(self) -> int:
        """What a right clock shows."""
        return EPOCH_US + self.clock.now_us()

    def log(self, name: str = "platform-1") -> list[dict[str, Any]]:
        """What the platform wrote down about requests."""
        path = self.log_of(name)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def events(self, name: str) -> list[Event]:
        """A process's journal."""
        return Tail(self.directory / f"{name}.journal").news()

    def has_no_bug(self) -> None:
        """No process ended, and no request met a bug."""
        self.supervisor.check()
        bugs = [line for name in self.nodes for line in self.log(name) if line["event"] == "bug"]
        assert not bugs, bugs
