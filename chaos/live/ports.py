"""Loopback ports for the servers of a run.

Below 32768, so that no outgoing connection of this machine is ever given one of them by the kernel. Runs that go
on at the same time must not hand out the same port either: each port is reserved by a name in the
abstract socket namespace, which the kernel gives back when the process ends, however it ends.
"""

from __future__ import annotations

import os
import socket
from contextlib import closing
from typing import Final, Self

_FIRST: Final = 20_000
_LAST: Final = 32_767
_STRIDE: Final = 7919  # a prime: two runs begin far apart, and each meets every port


class Ports:
    """Hands out ports that are free; `close` gives them back."""

    def __init__(self) -> None:
        self._reserved: dict[int, socket.socket] = {}
        self._next = os.getpid() * _STRIDE

    def free(self) -> int:
        """A port on 127.0.0.1 that nobody listens on and nobody else will be given. Raises OSError."""
        count = _LAST - _FIRST + 1
        for step in range(count):
            port = _FIRST + (self._next + step) % count
            if port not in self._reserved and self._reserve(port):
                self._next += step + 1
                return port
        raise OSError(f"every port from {_FIRST} to {_LAST} is taken")

    def listening(self) -> list[int]:
        """Those handed out on which somebody accepts connections."""
        return [port for port in self._reserved if listens(port)]

    def close(self) -> None:
        """Give all ports back. Twice does no harm."""
        for reservation in self._reserved.values():
            reservation.close()
        self._reserved.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reserve(self, port: int) -> bool:
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f"\0dingfeng-port-{port}")
            with closing(socket.socket()) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            return False
        self._reserved[port] = reservation
        return True


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this loopback port."""
    with closing(socket.socket()) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
