"""The edge: who is sent where, and what a broken link behind it does."""

from __future__ import annotations

from typing import Any

from reference_platform.ports import Request, Response
from sim.counterparties.signatures import NONCE
from sim.edge import Edge
from sim.kernel import Kernel, Task
from sim.network import Down, Loss, Network, Refused, Unknown
from sim.node import Handler, Incarnation, Node
from sim.randomness import Streams

MINUTE = 60_000_000


class Front:
    """An edge before three nodes that answer with their names."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.network = Network(self.kernel, Streams(1))
        self.network.connect("users", "edge", 10)
        self.network.connect("edge", "platform-*", 5)
        self.nodes = {
            name: Node(self.kernel, name, self.boot) for name in ("platform-1", "platform-2", "platform-3")
        }
        for node in self.nodes.values():
            self.network.attach(node)
            node.start()
        self.network.attach(Edge(self.kernel, self.network, list(self.nodes.values())))

    @staticmethod
    def boot(incarnation: Incarnation) -> Handler:
        async def serve(_: Request) -> Response:
            return Response(200, {"node": incarnation.name})

        return serve

    def ask(self, request: Request) -> Any:
        """What the caller is told."""

        async def call() -> Any:
            return await self.network.call("users", "edge", request, MINUTE)

        task: Task = self.kernel.spawn(call(), "ask")
        self.kernel.run_until(self.kernel.now + 2 * MINUTE)
        return task.value

    def served(self, user: str) -> str:
        """The node that answers this user."""
        return str(self.ask(Request("look", user)).body["node"])


def callback(nonce: str) -> Request:
    return Request("callback.wechat", "", headers={NONCE: nonce})


def test_a_user_sticks_to_a_node_and_users_spread() -> None:
    """The same node each time; all nodes have somebody."""
    front = Front()
    first = {f"u{n}": front.served(f"u{n}") for n in range(12)}
    assert {user: front.served(user) for user in first} == first
    assert set(first.values()) == set(front.nodes)


def test_attempts_of_a_callback_come_round_to_other_nodes() -> None:
    """A retry is not sent to the node that has just failed it, as every one would be under one name."""
    front = Front()
    nodes = {front.ask(callback(f"c1.n1.{attempt}")).body["node"] for attempt in range(12)}
    assert nodes == set(front.nodes)
    assert front.ask(callback("c1.n1.1")).body == front.ask(callback("c1.n1.1")).body


def test_a_node_that_is_down_is_skipped_and_moves_nobody_else() -> None:
    """Its users go to others and come back to it; everybody else stays."""
    front = Front()
    first = {f"u{n}": front.served(f"u{n}") for n in range(12)}
    front.nodes["platform-2"].crash()
    meanwhile = {user: front.served(user) for user in first}
    assert all((node == first[user]) == (first[user] != "platform-2") for user, node in meanwhile.items())
    front.nodes["platform-2"].start()
    assert {user: front.served(user) for user in first} == first


def test_a_frozen_node_is_not_noticed() -> None:
    """A health check that passes says nothing of a machine that stands still."""
    front = Front()
    user = next(f"u{n}" for n in range(12) if front.served(f"u{n}") == "platform-1")
    front.nodes["platform-1"].pause()
    assert front.ask(Request("look", user)) == Unknown("timeout")


def test_when_all_are_down_the_caller_is_refused() -> None:
    """Certainly no effect."""
    front = Front()
    for node in front.nodes.values():
        node.crash()
    assert front.ask(Request("look", "u1")) == Refused("refused")


def test_a_fault_between_the_edge_and_one_node_hits_that_node_only() -> None:
    """Refused stays refused and lost stays unknown on the way back to the user."""
    front = Front()
    first = {f"u{n}": front.served(f"u{n}") for n in range(9)}
    toxic = front.network.add(Down(), "edge", "platform-3", stream="upstream")
    for user, node in first.items():
        told = front.ask(Request("look", user))
        assert told == Refused("refused") if node == "platform-3" else told.body["node"] == node
    toxic.remove()
    front.network.add(Loss(), "edge", "platform-3", stream="upstream")
    user = next(user for user, node in first.items() if node == "platform-3")
    assert isinstance(front.ask(Request("look", user)), Unknown)
