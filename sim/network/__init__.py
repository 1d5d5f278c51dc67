"""The network: links between named nodes, calls over them, and everything that can go wrong with a call.

Start with `network.py` (`Network`: declare links, call, partition). `link.py` is one direction of
calls between two nodes, `exchange.py` one call in flight, `toxics.py` the faults, by Toxiproxy's
names, and what each means for a call.
"""

from sim.network.exchange import Refused, Unknown
from sim.network.link import ActiveToxic, Link, impose
from sim.network.network import Network, Partition
from sim.network.toxics import (
    TOXICS,
    Bandwidth,
    Cut,
    Down,
    Duplicate,
    Effect,
    Fault,
    Latency,
    LimitData,
    Loss,
    Noop,
    Reorder,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
)

__all__ = [
    "TOXICS",
    "ActiveToxic",
    "Bandwidth",
    "Cut",
    "Down",
    "Duplicate",
    "Effect",
    "Fault",
    "Latency",
    "LimitData",
    "Link",
    "Loss",
    "Network",
    "Noop",
    "Partition",
    "Refused",
    "Reorder",
    "ResetPeer",
    "Slicer",
    "SlowClose",
    "Timeout",
    "Unknown",
    "impose",
]
