"""What a Toxiproxy can tell about the connections and bytes that a fault touched.

Our own server keeps exact books. The upstream one counts bytes, when its metrics are on, and only of connections
that have ended. There we look at the kernel's table as well: connections that stood on the link when the fault began
or ended were in its way. That is a lower bound, and for a server on another machine it is nothing: a fault of which
nothing can be told counts as one that touched nothing, and leaves the run inconclusive rather than passed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote

from chaos.live.faults import Touched

Ask = Callable[[str], str | None]  # path → text, None where the server has no such path
_ESTABLISHED: Final = "01"
_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")


class Evidence(Protocol):
    """What was touched between `before`, taken when a fault begins, and now."""

    def before(self, listen: str, link: str, stream: str) -> Any: ...
    def of_toxic(self, link: str, stream: str, toxic: str, before: Any) -> Touched: ...
    def of_down(self, link: str, before: Any) -> Touched: ...


class Ledgers:
    """The books of our own server: exact."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def there(self) -> bool:
        """Whether the server keeps them."""
        return self._ask("/touched") is not None

    def before(self, listen: str, link: str, stream: str) -> int:
        del listen, stream
        return int(self._book(link)["dropped"])

    def of_toxic(self, link: str, stream: str, toxic: str, before: int) -> Touched:
        del stream, before
        line = self._book(link)["toxics"].get(toxic, {"connections": 0, "bytes": 0})
        return Touched(line["connections"], line["bytes"])

    def of_down(self, link: str, before: int) -> Touched:
        return Touched(self._book(link)["dropped"] - before, 0)

    def _book(self, link: str) -> dict[str, Any]:
        return dict(json.loads(self._ask(f"/proxies/{quote(link, safe='')}/touched") or "{}"))


class _Sight(NamedTuple):
    port: int
    peers: frozenset[int]  # ports of the clients that were connected
    bytes: int


class Glimpses:
    """What can be seen of a server that keeps no books: a lower bound."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def before(self, listen: str, link: str, stream: str) -> _Sight:
        port = int(listen.rpartition(":")[2])
        return _Sight(port, connected(port), self._bytes(link, stream))

    def of_toxic(self, link: str, stream: str, toxic: str, before: _Sight) -> Touched:
        del toxic
        peers = before.peers | connected(before.port)
        return Touched(len(peers), self._bytes(link, stream) - before.bytes)

    def of_down(self, link: str, before: _Sight) -> Touched:
        del link
        return Touched(len(before.peers), 0)

    def _bytes(self, link: str, stream: str) -> int:
        """Received on the link in one direction, by connections that have ended."""
        wanted = (f'direction="{stream}"', f"proxy={json.dumps(link, ensure_ascii=False)}")
        return sum(
            int(float(line.rpartition(" ")[2]))
            for line in (self._ask("/metrics") or "").splitlines()
            if line.startswith("toxiproxy_proxy_received_bytes_total{")
            and all(label in line for label in wanted)
        )


def connected(port: int) -> frozenset[int]:
    """The peers' ports of the connections that stand on a port of this machine."""
    found = set()
    for table in _TABLES:
        path = Path(table)
        for line in path.read_text("ascii").splitlines()[1:] if path.exists() else ():
            _, local, remote, state = line.split()[:4]
            if state == _ESTABLISHED and int(local.rpartition(":")[2], 16) == port:
                found.add(int(remote.rpartition(":")[2], 16))
    return frozenset(found)
