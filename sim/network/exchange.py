"""One call in flight: the request travels, the destination's handler runs, the reply travels.

The caller learns one of three things: the response; `Refused`, that the request certainly had no
effect; or `Unknown`, that it may have had. A time-out is unknown, whatever really happened.

Without faults this is two entries in the kernel's queue. A time-out costs an entry only when the
destination does not answer on the spot, because until then the end of the call is known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.kernel import Future, HarnessError, Timer
from sim.network.toxics import Down, Effect, Passage

if TYPE_CHECKING:
    from sim.network.link import Link


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was not delivered: certainly no effect. `reason`: refused, or overloaded."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No reply came: the request may have had its effect. `reason`: timeout, closed or reset."""

    reason: str


class Exchange(Future):
    """The future of one call's outcome. It is the `Caller` that the destination node answers to."""

    __slots__ = ("deadline_us", "effect", "key", "link", "request", "sent_us", "timer")

    def __init__(self, link: Link, request: Any, timeout_us: int, key: tuple[Any, ...]) -> None:
        self.kernel = kernel = link.network.kernel
        self.done = False
        self.value = None
        self.error = None
        self.waiter = None
        self.link = link
        self.request = request
        self.key = key
        self.sent_us = kernel._now
        self.deadline_us = kernel._now + timeout_us
        self.timer: Timer | None = None
        self.effect: Effect | None = None

    # ------------------------------------------------------------ there

    def send(self, size: int) -> None:
        """Send the request over a link that has toxics, jitter or a plan."""
        link = self.link
        network = link.network
        self.effect = effect = link.effect(self.key)
        if size < 0:
            size = network.size_of(self.request)
        passage = link.shape("upstream", size, self.key, effect, self)
        if passage.refused:
            self._finish(Refused("refused"), 2 * link.latency_us + passage.close_delay_us)
        elif passage.lost:
            self._lost(passage)
        else:
            self.kernel.call_at(self.sent_us + passage.delay_us, self.deliver)
            for after_us in passage.copies_after_us:
                self.kernel.call_at(self.sent_us + passage.delay_us + after_us, _Copy(self).deliver)
            if self.sent_us + passage.delay_us >= self.deadline_us:
                self.wait()

    def deliver(self) -> None:
        """The request reaches its destination."""
        link = self.link
        if link.severed is not None and (fault := link.stop(self.request, self.key)) is not None:
            if isinstance(fault, Down):
                self._finish(Unknown("reset"), link.latency_us)
            else:
                self.wait()
            return
        if link.node is None:
            raise HarnessError(f"nothing is attached to the network as {link.dst!r}")
        link.node.serve(self.request, self)
        if not self.done and self.timer is None:
            self.wait()

    # ------------------------------------------------------------ and back

    def replied(self, response: Any) -> int:
        """The handler is done: its reply sets out. Returns how long the worker is still taken up."""
        if self.done:
            return 0  # nobody waits any more
        if self.link.plain and self.effect is None:
            self._finish(response, self.link.latency_us)
            return 0
        size = self.link.network.size_of(response)
        passage = self.link.shape("downstream", size, self.key, self.effect, self)
        if passage.lost:
            self._lost(passage)
        else:
            self._finish(response, passage.delay_us)
        return passage.close_delay_us

    def refused(self, reason: str) -> None:
        """The destination turned the request away: no software running, or too much work."""
        self._notify(Refused(reason))

    def dropped(self) -> None:
        """The destination took the request and broke off."""
        self._notify(Unknown("reset"))

    def close(self) -> None:
        """The connection closes under way, for instance because the toxic that held it was removed."""
        self._finish(Unknown("closed"), self.link.latency_us)

    def _notify(self, outcome: Refused | Unknown) -> None:
        """A bare sign of life or death travels back; faults can hold it up like a reply."""
        if self.done:
            return
        if self.link.plain:
            self._finish(outcome, self.link.latency_us)
            return
        passage = self.link.shape("downstream", 0, self.key, self.effect, self)
        if not passage.lost:
            self._finish(outcome, passage.delay_us)
        else:
            self._lost(passage)

    def _lost(self, passage: Passage) -> None:
        """The message got lost; the caller may see the connection end."""
        if passage.closes_after_us is None:
            self.wait()
        else:
            after_us = passage.closes_after_us + passage.close_delay_us + self.link.latency_us
            self._finish(Unknown(passage.ending), after_us)

    # ------------------------------------------------------------ the outcome

    def _finish(self, outcome: Any, after_us: int) -> None:
        """The caller will see this outcome in `after_us`, unless its time is up before."""
        if self.done:
            return
        kernel = self.kernel
        if kernel._now + after_us >= self.deadline_us:
            self.wait()
            return
        if self.waiter is None:  # known while it is being sent
            kernel.call_at(kernel._now + after_us, self.set, outcome)
            return
        self.done = True
        self.value = outcome
        if self.timer is not None:
            self.timer.cancel()
        # Nothing else can wake the caller before the outcome arrives, so the caller itself is queued.
        kernel.wake(self.waiter, after_us)

    def wait(self) -> None:
        """Nothing is certain but the time-out."""
        if self.timer is None and not self.done:
            self.timer = self.kernel.call_at(self.deadline_us, self._expire)

    def _expire(self) -> None:
        self.set(Unknown("timeout"))

    def abandon(self) -> None:
        """The caller is gone. The request and its effect are not."""
        self.done = True
        if self.timer is not None:
            self.timer.cancel()


class _Copy:
    """A duplicate of a request: its reply counts if it is the first, its failure never does."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def deliver(self) -> None:
        """The duplicate reaches the destination."""
        link = self._exchange.link
        if link.node is not None and link.severed is None:
            link.node.serve(self._exchange.request, self)

    def replied(self, response: Any) -> int:
        return self._exchange.replied(response)

    def refused(self, reason: str) -> None:
        pass

    def dropped(self) -> None:
        pass
