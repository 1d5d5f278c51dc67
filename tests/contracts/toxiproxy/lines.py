"""Both ends of a proxied connection in the hands of a test, and what can be measured there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, Self

from tests.contracts.toxiproxy.servers import Server

PATIENCE_S = 60.0


class Seen(NamedTuple):
    """What one end received until the connection ended: bytes, how it ended (fin, rst, open), when by this clock."""

    data: bytes
    end: str
    at_s: float


class End:
    """One end of a connection."""

    def __init__(self, plug: socket.socket) -> None:
        self.plug = plug
        plug.settimeout(PATIENCE_S)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        self.plug.sendall(data)

    def take(self, count: int) -> bytes:
        """Exactly so many bytes."""
        return b"".join(data for data, _ in self.arrivals(count))

    def arrivals(self, count: int) -> list[tuple[bytes, float]]:
        """Each piece as it comes, with the moment in seconds, until there are so many bytes."""
        got, pieces = 0, []
        while got < count:
            data = self.plug.recv(count - got)
            assert data, f"ended after {got} bytes"
            got += len(data)
            pieces.append((data, time.monotonic()))
        return pieces

    def rest(self, patience_s: float = PATIENCE_S) -> Seen:
        """Everything until the end, or until nothing more has come for so long."""
        data, end = [], "fin"
        self.plug.settimeout(patience_s)
        try:
            while piece := self.plug.recv(1 << 16):
                data.append(piece)
        except ConnectionResetError:
            end = "rst"
        except TimeoutError:
            end = "open"
        self.plug.settimeout(PATIENCE_S)
        return Seen(b"".join(data), end, time.monotonic())

    def close(self) -> None:
        self.plug.close()


class Line:
    """A proxy of its own in front of an upstream that the test plays itself."""

    def __init__(
        self, server: Server, name: str, address: str, listener: socket.socket, stack: ExitStack
    ) -> None:
        self.server = server
        self.name = name
        self.listen = address
        self._listener = listener
        self._stack = stack

    @classmethod
    @contextmanager
    def through(
        cls, server: Server, toxics: Sequence[dict[str, Any]] = (), name: str = "line"
    ) -> Iterator[Self]:
        with ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
            listener.settimeout(PATIENCE_S)
            upstream = f"127.0.0.1:{listener.getsockname()[1]}"
            proxy = {"name": name, "upstream": upstream, "listen": "127.0.0.1:0"}
            address = server.done("POST", "/proxies", proxy)["listen"]
            stack.callback(server.ask, "DELETE", f"/proxies/{name}")
            line = cls(server, name, address, listener, stack)
            for one in toxics:
                line.add(one)
            yield line

    def add(self, body: dict[str, Any]) -> Any:
        return self.server.done("POST", f"/proxies/{self.name}/toxics", body)

    def change(self, toxic: str, body: dict[str, Any]) -> Any:
        return self.server.done("POST", f"/proxies/{self.name}/toxics/{toxic}", body)

    def remove(self, toxic: str) -> None:
        self.server.done("DELETE", f"/proxies/{self.name}/toxics/{toxic}")

    def enable(self, *, enabled: bool) -> None:
        self.server.done("POST", f"/proxies/{self.name}", {"enabled": enabled})

    def client(self) -> End:
        host, port = self.listen.rsplit(":", 1)
        return End(self._stack.enter_context(socket.create_connection((host, int(port)), PATIENCE_S)))

    def pair(self) -> tuple[End, End]:
        """A new connection: the client's end and the upstream's."""
        client = self.client()
        return client, End(self._stack.enter_context(self._listener.accept()[0]))


def toxic(kind: str, stream: str = "downstream", toxicity: float = 1.0, **attributes: int) -> dict[str, Any]:
    return {"type": kind, "stream": stream, "toxicity": toxicity, "attributes": attributes}


def until(holds: Callable[[], bool]) -> None:
    """Waits for a condition; fails when it does not come."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
