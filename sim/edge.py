"""The edge: the one address of the platform, in front of all its nodes.

A user sticks to one node by name, a callback by the nonce of its attempt (so retries come round to
other nodes): a fault on one node moves nobody else. A node whose software is down is skipped, as a
health check would; a frozen one is not noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from reference_platform.ports import Request
from sim.counterparties.signatures import NONCE
from sim.kernel import Kernel
from sim.network import Link, Network, Refused, Unknown
from sim.node import Caller, Node

FORWARD_TIMEOUT_US = 60_000_000


class Edge:
    """Stands in the network as the node `edge`; while its own links are plain it costs nothing."""

    def __init__(self, kernel: Kernel, network: Network, nodes: Sequence[Node]) -> None:
        self.name = "edge"
        self._kernel = kernel
        self._nodes = list(nodes)
        self._links = {node.name: network.link("edge", node.name) for node in nodes}
        self._forwarded: dict[tuple[str, str, str], int] = {}

    def serve(self, request: Request, caller: Caller) -> None:
        """Hand the request to its node, or to the next one that is up."""
        node = self._choose(request)
        link = self._links[node.name]
        if link.plain:
            node.serve(request, caller)
        else:
            self._kernel.spawn(self._forward(link, request, caller), "edge.forward")

    def _choose(self, request: Request) -> Node:
        nodes = self._nodes
        if len(nodes) == 1:
            return nodes[0]
        first = crc32(_sender(request).encode()) % len(nodes)
        for step in range(len(nodes)):
            node = nodes[(first + step) % len(nodes)]
            if node.alive:
                return node
        return nodes[first]

    async def _forward(self, link: Link, request: Request, caller: Caller) -> None:
        what = (link.dst, request.action, _sender(request))
        self._forwarded[what] = n = self._forwarded.get(what, 0) + 1
        outcome = await link.call(request, FORWARD_TIMEOUT_US, (*what[1:], str(n)))
        if type(outcome) is Refused:
            caller.refused(outcome.reason)
        elif type(outcome) is Unknown:
            caller.dropped()
        else:
            caller.replied(outcome)


def _sender(request: Request) -> str:
    """Who asks: a user, or one attempt of a callback."""
    return request.user or request.headers.get(NONCE, request.action)
