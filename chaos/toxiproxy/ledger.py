"""How many connections and bytes each proxy and each toxic touched.

The harness asks for this: a fault that touched nothing has shown nothing. A toxic keeps its line after it is
removed, and one that is added again under the same name goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chaos.toxiproxy.toxics import STREAMS


@dataclass(slots=True)
class Touch:
    """What one toxic did: `connections` on which it acted (by direction), `bytes` that it delayed, cut or dropped."""

    connections: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Ledger:
    """The books of one proxy since it was created."""

    connections: int = 0  # accepted
    unreached: int = 0  # accepted, but the upstream could not be connected
    dropped: int = 0  # cut because the proxy was disabled, changed or deleted
    received: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))  # bytes, by direction
    sent: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    toxics: dict[str, Touch] = field(default_factory=dict)

    def of(self, toxic: str) -> Touch:
        return self.toxics.setdefault(toxic, Touch())

    def shown(self, open_connections: int) -> dict[str, Any]:
        return {
            "connections": self.connections,
            "open": open_connections,
            "unreached": self.unreached,
            "dropped": self.dropped,
            "bytes": dict(self.received),
            "toxics": {
                name: {"connections": touch.connections, "bytes": touch.bytes}
                for name, touch in self.toxics.items()
            },
        }
