"""A link: calls from one node to another, and the toxics they pass through now."""

from __future__ import annotations

import types
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, Final

from sim.network.exchange import Exchange
from sim.network.toxics import Cut, Down, Draw, Effect, Fault, Passage, Stream

if TYPE_CHECKING:
    from sim.network.network import Network
    from sim.node import Host
    from sim.randomness import Streams

_STATEMENT_BYTES: Final = 512


class ActiveToxic:
    """A fault that is in force on some links, with the evidence of what it touched."""

    __slots__ = ("_network", "bytes", "fault", "hung", "messages", "name", "toxicity")

    def __init__(self, network: Network, fault: Fault, toxicity: float, name: str) -> None:
        self._network = network
        self.fault = fault
        self.toxicity = toxicity
        self.name = name
        self.messages = 0
        self.bytes = 0
        self.hung: dict[Exchange, None] = {}  # calls that wait for nothing but this toxic's removal

    @property
    def touched(self) -> dict[str, int]:
        """The evidence: how many messages, and how many bytes, it had its effect on."""
        return {"messages": self.messages, "bytes": self.bytes}

    def remove(self) -> None:
        """End the fault. Calls that hang on it see their connection close."""
        self._network.remove(self)
        hung, self.hung = self.hung, {}
        for exchange in hung:
            exchange.close()


class Link:
    """Calls from `src` to `dst`. `plain` says that nothing but the constant delay happens to them."""

    __slots__ = (
        "calls", "dst", "jitter_us", "latency_us", "name", "network", "node", "plain", "replies", "requests",
        "severed", "src",
    )  # fmt: skip

    def __init__(self, network: Network, src: str, dst: str, latency_us: int, jitter_us: int) -> None:
        self.network = network
        self.src = src
        self.dst = dst
        self.name = f"{src}>{dst}"
        self.latency_us = latency_us
        self.jitter_us = jitter_us
        self.node: Host | None = network.nodes.get(dst)
        self.calls = 0  # names the draws of calls that bring no key
        self.requests: tuple[ActiveToxic, ...] = ()
        self.replies: tuple[ActiveToxic, ...] = ()
        self.severed: ActiveToxic | None = None  # what stops requests that are already on their way
        self.plain = True
        self.refresh()

    def refresh(self) -> None:
        """Take note of the toxics in force. Called by the network whenever they change."""
        self.requests = self.network.toxics_of(self, "upstream")
        self.replies = self.network.toxics_of(self, "downstream")
        self.severed = next((toxic for toxic in self.requests if isinstance(toxic.fault, (Cut, Down))), None)
        self.plain = not (self.requests or self.replies or self.jitter_us or self.network.decide)

    def add(
        self, fault: Fault, *, stream: Stream = "downstream", toxicity: float = 1.0, name: str = ""
    ) -> ActiveToxic:
        """Put a fault in force on this link alone; see `Network.add`."""
        return self.network.add(fault, self.src, self.dst, stream=stream, toxicity=toxicity, name=name)

    @types.coroutine
    def call(
        self, request: Any, timeout_us: int, key: tuple[Any, ...] = (), size: int = -1
    ) -> Generator[Any, Any, Any]:
        """Send a request and wait for the reply: the response, `Refused` or `Unknown`.

        `key` names the call in random draws and plans, such as `("callback", order_id, attempt)`.
        `size` is the request's size in bytes; without it, `network.size_of` tells.
        """
        if not key:
            self.calls += 1
            key = ("call", self.calls)
        exchange = Exchange(self, request, timeout_us, key)
        if self.plain:
            self.network.kernel.call_at(exchange.sent_us + self.latency_us, exchange.deliver)
            if self.latency_us >= timeout_us:
                exchange.wait()
        else:
            exchange.send(size)
        try:
            yield exchange
        finally:
            if not exchange.done:
                exchange.abandon()
        return exchange.value

    def round_trip_us(self) -> int | None:
        """The delay of a statement and its answer, for a client that models calls itself; None: cut."""
        if self.plain:
            return 2 * self.latency_us
        self.calls += 1
        key = ("statement", self.calls)
        effect = self.effect(key)
        there = self.shape("upstream", _STATEMENT_BYTES, key, effect)
        if there.lost:
            return None
        back = self.shape("downstream", _STATEMENT_BYTES, key, effect)
        return None if back.lost else there.delay_us + back.delay_us

    def stop(self, request: Any, key: tuple[Any, ...]) -> Fault | None:
        """The fault that came into force while this request was under way and stops it, if one did."""
        toxic = self.severed
        if toxic is None or not self._hits(toxic, "upstream", key):
            return None
        toxic.messages += 1
        toxic.bytes += self.network.size_of(request)
        return toxic.fault

    def effect(self, key: tuple[Any, ...]) -> Effect | None:
        """What the plan, if there is one, does to this call."""
        decide = self.network.decide
        return decide(self.name, key) if decide is not None else None

    def shape(
        self,
        stream: Stream,
        size: int,
        key: tuple[Any, ...],
        effect: Effect | None,
        exchange: Exchange | None = None,
    ) -> Passage:
        """Send one message through the toxics of its direction, then through the plan's effect."""
        streams = self.network.streams
        upstream = stream == "upstream"
        passage = Passage(size, self.latency_us)
        if self.jitter_us:
            passage.delay_us += streams.integer("network", 0, self.jitter_us, self.name, stream, "base", *key)
        for toxic in self.requests if upstream else self.replies:
            if not self._hits(toxic, stream, key):
                continue
            toxic.messages += 1
            toxic.bytes += size
            toxic.fault.apply(passage, _draw(streams, self.name, stream, toxic.name, key))
            if passage.lost:
                if exchange is not None and passage.hangs:
                    toxic.hung[exchange] = None
                return passage
        if effect is not None:
            impose(effect.request if upstream else effect.reply, passage, streams, self.name, stream, key)
        return passage

    def _hits(self, toxic: ActiveToxic, stream: Stream, key: tuple[Any, ...]) -> bool:
        streams = self.network.streams
        return streams.chance("network", toxic.toxicity, self.name, stream, toxic.name, *key)


def impose(
    faults: Sequence[Fault],
    passage: Passage,
    streams: Streams,
    link: str,
    stream: Stream,
    key: tuple[Any, ...],
) -> None:
    """Let a plan's faults change the passage of one message on the link of that name."""
    for position, fault in enumerate(faults):
        fault.apply(passage, _draw(streams, link, stream, f"plan{position}", key))


def _draw(streams: Streams, link: str, stream: Stream, name: str, key: tuple[Any, ...]) -> Draw:
    return lambda purpose: streams.uniform("network", link, stream, name, purpose, *key)
