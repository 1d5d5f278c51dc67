"""A client, its upstream, and the two flows between them.

Closing follows the upstream server: when the end of one direction has passed its toxics, the other side's
socket is closed for both directions. There are no half-open connections behind this proxy, nor behind the real one.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Protocol, cast

from chaos.toxiproxy.closing import Reset
from chaos.toxiproxy.draws import Draws
from chaos.toxiproxy.flow import STAGES, Flow
from chaos.toxiproxy.ledger import Ledger
from chaos.toxiproxy.stage import Stage
from chaos.toxiproxy.toxics import DOWNSTREAM, UPSTREAM, Toxic
from sim.randomness import Streams

_ABORTIVE = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 s: close sends an RST


class Owner(Protocol):
    """The proxy that a connection belongs to, as the connection needs it."""

    name: str
    enabled: bool
    ledger: Ledger
    streams: Streams
    chains: dict[str, list[Toxic]]  # by direction, in the order in which they were added

    def upstream_address(self) -> tuple[str, int]:
        """Raises ValueError."""

    def opened(self, connection: Connection) -> int:
        """A client has connected; returns the number of the connection, from 1."""

    def closed(self, connection: Connection) -> None:
        """Both sockets are closed."""


class Side(asyncio.Protocol):
    """One of the two sockets of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.transport: asyncio.Transport | None = (
            None  # none before the socket is connected and after it is closed
        )
        self.inflow: Flow  # from this socket
        self.outflow: Flow  # to this socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._connection.made(self)

    def data_received(self, data: bytes) -> None:
        self.inflow.receive(data)

    def eof_received(self) -> bool:
        self.inflow.finish()
        return True  # stays open for writing, until the end has passed the toxics

    def pause_writing(self) -> None:
        self.outflow.full = True
        self.outflow.balance()

    def resume_writing(self) -> None:
        self.outflow.full = False
        self.outflow.balance()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whatever ended it, the other side sees a close or a reset
        self.transport = None
        self._connection.ended(self)

    def write(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def close(self) -> None:
        if self._connection.resets():
            self.abort()
        elif self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Closes at once; with an RST where a reset_peer is in force."""
        if self.transport is not None:
            if self._connection.resets():
                plug: socket.socket = self.transport.get_extra_info("socket")
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
            self.transport.abort()

    def pause(self) -> None:
        if self.transport is not None:
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.transport is not None:
            self.transport.resume_reading()


class Connection:
    """One client's connection, from accept to the last close."""

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self.owner = owner
        self.number = 0
        self.client = Side(self)
        self.upstream = Side(self)
        self.flows: dict[str, Flow] = {}  # by direction; none before the upstream is connected
        self._loop = loop
        self._reset = False
        self._reaching: asyncio.Task[None] | None = None

    def made(self, side: Side) -> None:
        if side is self.client:
            side.pause()
            if not self.owner.enabled:  # accepted in the very turn of the loop in which the proxy was stopped
                side.abort()
                return
            self.number = self.owner.opened(self)
            self._reaching = self._loop.create_task(self._reach())
            self._reaching.add_done_callback(lambda _: self._settle())
        else:
            self._join()

    async def _reach(self) -> None:
        """Connects the upstream; where that fails the client is closed, as upstream."""
        try:
            host, port = self.owner.upstream_address()
            await self._loop.create_connection(lambda: self.upstream, host, port)
        except (OSError, ValueError):
            self.owner.ledger.unreached += 1
            self.client.close()

    def _join(self) -> None:
        for direction, source, target in (
            (UPSTREAM, self.client, self.upstream),
            (DOWNSTREAM, self.upstream, self.client),
        ):
            flow = Flow(direction, (source, target), self.owner.ledger, self._mark_reset, self._loop)
            self.flows[direction] = source.inflow = target.outflow = flow
        for direction, chain in self.owner.chains.items():
            for toxic in chain:
                self.admit(direction, toxic)
        if self.client.transport is None:
            self.upstream.abort()
        else:
            self.client.resume()

    def ended(self, side: Side) -> None:
        """One socket is closed, by whomever."""
        if self.flows:
            side.outflow.lose()
            side.inflow.finish()
        self._settle()

    def _settle(self) -> None:
        reached = self._reaching is None or self._reaching.done()
        if reached and self.client.transport is None and self.upstream.transport is None:
            self.owner.closed(self)

    def admit(self, direction: str, toxic: Toxic) -> None:
        """Brings a toxic into force here if its toxicity says so."""
        flow = self.flows.get(direction)
        if flow is None:
            return
        draws = self._draws(direction, toxic)
        if draws.hit(toxic.toxicity):
            stage = STAGES[toxic.type](toxic, draws, self.owner.ledger.of(toxic.name), flow)
            flow.insert(stage, self.owner.chains[direction])

    def renew(self, direction: str, toxic: Toxic) -> None:
        """The toxic's attributes or its toxicity have changed."""
        flow = self.flows.get(direction)
        stage = flow.find(toxic) if flow is not None else None
        if flow is None or stage is None:
            self.admit(direction, toxic)
        elif self._draws(direction, toxic).hit(toxic.toxicity):
            stage.renew()
        else:
            flow.take_out(stage, stage.release)

    def dismiss(self, direction: str, toxic: Toxic) -> None:
        """The toxic is removed."""
        flow = self.flows.get(direction)
        stage = flow.find(toxic) if flow is not None else None
        if flow is not None and stage is not None:
            flow.take_out(stage, stage.remove)

    def cut(self) -> None:
        """Ends the connection at once, dropping what is in flight."""
        if self._reaching is not None:
            self._reaching.cancel()
        self.client.abort()
        self.upstream.abort()

    def resets(self) -> bool:
        """Whether its sockets are closed with an RST."""
        return self._reset or any(isinstance(stage, Reset) for stage in self._stages())

    def _draws(self, direction: str, toxic: Toxic) -> Draws:
        return Draws(self.owner.streams, (self.owner.name, self.number, direction, toxic.name))

    def _mark_reset(self) -> None:
        self._reset = True

    def _stages(self) -> list[Stage[Any]]:
        return [stage for flow in self.flows.values() for stage in flow.stages]
