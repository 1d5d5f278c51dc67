"""Addresses as the API writes them, sockets that listen on them, and whom they accept."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from chaos.toxiproxy.refusal import cannot_listen

BACKLOG = 4096  # the kernel takes what it allows
BREATH_S = 1.0  # until the next accept, when the system had no file or no memory left for one


def split(address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[host]:port`; the host may be empty. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon:
        raise ValueError("missing port in address")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError("too many colons in address")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"no port {port!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def resolved(address: str) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Where an address listens: the first IPv4 address of a name, every address of an empty one.

    Raises Refusal.
    """
    if not address:
        return await resolved(":0")
    try:
        host, port = split(address)
        if not host:
            both = socket.has_dualstack_ipv6()
            return (socket.AF_INET6, ("::", port)) if both else (socket.AF_INET, ("0.0.0.0", port))  # noqa: S104 - as upstream
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise cannot_listen(address, error) from None
    family, _, _, _, name = min(found, key=lambda info: info[0] is not socket.AF_INET)
    return family, (str(name[0]), port)


async def listen(address: str) -> socket.socket:
    """A socket that listens on the address. Raises Refusal."""
    family, name = await resolved(address)
    plug = socket.socket(family, socket.SOCK_STREAM)
    try:
        plug.setblocking(False)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if name[0] == "::":
            plug.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        plug.bind(name)
        plug.listen(BACKLOG)
    except OSError as error:
        plug.close()
        raise cannot_listen(joined(*name), error.strerror or error) from None
    return plug


class Listener:
    """Hands every client it accepts to a protocol of its own, until it is closed.

    A server of asyncio that is closed forgets whom it accepted in the turn before: their sockets stay open until
    the garbage collector comes by (seen with Python 3.11), and the clients wait. This one hands them over first.
    """

    def __init__(self, plug: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._plug = plug
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._arriving: set[asyncio.Task[object]] = set()
        self._breath: asyncio.TimerHandle | None = None
        self._watch()

    def _watch(self) -> None:
        self._breath = None
        self._loop.add_reader(self._plug, self._accept)

    def _accept(self) -> None:
        """Everybody who waits, in one turn of the loop."""
        try:
            while True:
                client, _ = self._plug.accept()
                client.setblocking(False)
                task = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, client))
                self._arriving.add(task)
                task.add_done_callback(self._arriving.discard)
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            logging.getLogger(__name__).warning("cannot accept: %s", error.strerror)
            self._loop.remove_reader(self._plug)
            self._breath = self._loop.call_later(BREATH_S, self._watch)

    async def close(self) -> None:
        """Listens no more; returns when everybody accepted has been handed over."""
        if self._breath is not None:
            self._breath.cancel()
        self._loop.remove_reader(self._plug)
        self._plug.close()
        if self._arriving:
            await asyncio.wait(self._arriving)
