"""A client, a server whose handler sleeps as long as it is told, and one link between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.kernel import Kernel, sleep
from sim.network import Network
from sim.node import Handler, Node
from sim.randomness import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 10_000_000


class Net:
    """`effects` are the server's: what each request that reached it asked for, and when it was done."""

    def __init__(
        self,
        latency_us: int = 500,
        jitter_us: int = 0,
        seed: int = 1,
        size_of: Callable[[Any], int] | None = None,
    ) -> None:
        self.kernel = Kernel()
        self.network = Network(self.kernel, Streams(seed), size_of)
        self.effects: list[tuple[int, int]] = []
        self.server = self.attach("server", self._serve)
        self.network.connect("client", "server", latency_us, jitter_us)

    def attach(self, name: str, handler: Handler) -> Node:
        node = Node(self.kernel, name, lambda _: handler)
        node.start()
        self.network.attach(node)
        return node

    async def _serve(self, us: int) -> str:
        if us:
            await sleep(us)
        self.effects.append((us, self.kernel.now))
        return "done"

    async def echo(self, request: Any) -> Any:
        await sleep(100 - request)
        return request

    async def to(self, dst: str) -> Any:
        return await self.network.call("client", dst, 0, LONG)

    async def one(self, request: Any, timeout_us: int, key: tuple[Any, ...]) -> tuple[Any, int]:
        outcome = await self.network.call("client", "server", request, timeout_us, key)
        return outcome, self.kernel.now

    def call(self, request: Any, *, timeout_us: int = LONG, key: tuple[Any, ...] = ()) -> tuple[Any, int]:
        """Make one call; its outcome and the time at which the caller learned it."""
        task = self.kernel.spawn(self.one(request, timeout_us, key))
        assert self.kernel.run_until_idle(self.kernel.now + LONG)
        assert task.done
        result: tuple[Any, int] = task.value
        return result
