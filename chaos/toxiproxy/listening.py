"""Addresses as the API writes them, and sockets that listen on them."""

from __future__ import annotations

import asyncio
import socket

from chaos.toxiproxy.refusal import cannot_listen

BACKLOG = 4096  # the kernel takes what it allows


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
