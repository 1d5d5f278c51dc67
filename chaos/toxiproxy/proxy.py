"""One proxy: a listener, its toxics by direction, and its open connections."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from chaos.toxiproxy.connection import Connection
from chaos.toxiproxy.ledger import Ledger
from chaos.toxiproxy.listening import Listener, joined, listen, resolved, split
from chaos.toxiproxy.refusal import no_toxic, toxic_exists
from chaos.toxiproxy.toxics import STREAMS, Toxic, toxic_from
from sim.randomness import Streams


class Proxy:
    """Named as in the API. Toxics outlive disabling; connections do not."""

    def __init__(self, name: str, address: str, upstream: str, streams: Streams) -> None:
        self.name = name
        self.address = address  # `listen` in the API; resolved once it listens
        self.upstream = upstream
        self.enabled = False
        self.streams = streams
        self.ledger = Ledger()
        self.chains: dict[str, list[Toxic]] = {stream: [] for stream in STREAMS}
        self._connections: set[Connection] = set()
        self._listener: Listener | None = None

    def shown(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "listen": self.address,
            "upstream": self.upstream,
            "enabled": self.enabled,
            "toxics": [msgspec.to_builtins(toxic) for toxic in self.toxics()],
        }

    def touched(self) -> dict[str, Any]:
        return self.ledger.shown(len(self._connections))

    async def start(self) -> None:
        """Listens, unless it does already. Raises Refusal when the address cannot be had."""
        if self.enabled:
            return
        plug = await listen(self.address)
        host, port = plug.getsockname()[:2]
        self.address = joined(host, port)
        self.enabled = True
        loop = asyncio.get_running_loop()
        self._listener = Listener(plug, lambda: Connection(self, loop).client)

    async def stop(self) -> None:
        """Listens no more and cuts every connection; returns when all their sockets are closed."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        self.enabled = False
        await listener.close()
        self.ledger.dropped += len(self._connections)
        while self._connections:
            for connection in list(self._connections):
                connection.cut()
            await asyncio.sleep(0)  # an aborted socket is closed in the next turn of the loop

    async def update(self, address: str, upstream: str, *, enabled: bool) -> None:
        """Changes what differs; another address or upstream drops the connections. Raises Refusal."""
        if await self.differs(address, upstream):
            await self.stop()
            self.address, self.upstream = address, upstream
        if enabled:
            await self.start()
        else:
            await self.stop()

    async def differs(self, address: str, upstream: str) -> bool:
        """Whether address or upstream are other than now. Raises Refusal."""
        _, name = await resolved(address)
        return self.upstream != upstream or self.address not in {address, joined(*name)}

    def toxics(self) -> list[Toxic]:
        """All toxics, those of the upstream direction first."""
        return [toxic for stream in STREAMS for toxic in self.chains[stream]]

    def toxic(self, name: str) -> Toxic:
        """Raises Refusal when there is none of this name."""
        found = next((toxic for toxic in self.toxics() if toxic.name == name), None)
        if found is None:
            raise no_toxic()
        return found

    def add(self, body: object) -> Toxic:
        """A new toxic at the end of its chain, on open connections too. Raises Refusal."""
        toxic = toxic_from(body)
        if any(other.name == toxic.name for other in self.toxics()):
            raise toxic_exists()
        self.ledger.of(toxic.name)
        self.chains[toxic.direction].append(toxic)
        for connection in self._connections:
            connection.admit(toxic.direction, toxic)
        return toxic

    def change(self, name: str, body: object) -> Toxic:
        """New attributes or another toxicity, on open connections too. Raises Refusal."""
        toxic = self.toxic(name)
        toxic.update(body)
        for connection in self._connections:
            connection.renew(toxic.direction, toxic)
        return toxic

    def remove(self, name: str) -> None:
        """Takes a toxic away; what it held goes on at once. Raises Refusal."""
        toxic = self.toxic(name)
        self.chains[toxic.direction].remove(toxic)
        for connection in self._connections:
            connection.dismiss(toxic.direction, toxic)

    def upstream_address(self) -> tuple[str, int]:
        host, port = split(self.upstream)
        return host or "localhost", port

    def opened(self, connection: Connection) -> int:
        self._connections.add(connection)
        self.ledger.connections += 1
        return self.ledger.connections

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
