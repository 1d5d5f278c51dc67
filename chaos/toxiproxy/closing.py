"""Toxics that close, reset or hold the close: slow_close, timeout, reset_peer, limit_data."""

from __future__ import annotations

from chaos.toxiproxy.stage import Stage
from chaos.toxiproxy.toxics import LimitData, ResetPeer, SlowClose, Timeout


class Linger(Stage[SlowClose]):
    """slow_close: data passes; the close comes later."""

    _ended = False

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._count(0)
            self._wait()

    def renew(self) -> None:
        """Once the close waits, it waits anew, as upstream."""
        if self._ended:
            self.cancel()
            self._wait()

    def _wait(self) -> None:
        self._timer = self._loop.call_later(max(self.attributes.delay, 0) / 1000, self.onward.end)

    def release(self) -> None:
        self.cancel()
        if self._ended:
            self.onward.end()


class Silence(Stage[Timeout]):
    """timeout: all data is dropped; after so long without any, the connection is closed."""

    _quiet_since = 0.0
    _dropped = False

    def start(self) -> None:
        self._quiet_since = self._loop.time()
        self._watch()

    def push(self, data: bytes, at: float) -> None:
        self._count(len(data))
        self._dropped = True
        self._quiet_since = at

    def end(self) -> None:
        self._shut()

    def renew(self) -> None:
        self.cancel()
        if not self.shut:
            self.start()

    def release(self) -> None:
        self.cancel()
        if self._dropped:
            self._shut()

    def remove(self) -> None:
        """Bytes are missing by now, so the connection cannot go on."""
        self._count(0)
        self._shut()

    def _watch(self) -> None:
        self._timer = None
        if self.attributes.timeout <= 0:
            return
        closes_at = self._quiet_since + self.attributes.timeout / 1000
        if closes_at <= self._loop.time():
            self._count(0)
            self._shut()
        else:
            self._timer = self._loop.call_at(closes_at, self._watch)


class Reset(Stage[ResetPeer]):
    """reset_peer: so long after the first data or close, both sides get an RST."""

    _begun = False

    def push(self, data: bytes, at: float) -> None:
        del at
        self._count(len(data))
        self.end()

    def end(self) -> None:
        if not self._begun:
            self._begun = True
            self._count(0)
            self._course.stop()
            self._timer = self._loop.call_later(max(self.attributes.timeout, 0) / 1000, self._fire)

    def release(self) -> None:
        """Once bytes are lost only the reset is left; it comes now."""
        if self._begun:
            self._fire()

    def _fire(self) -> None:
        self._course.reset()
        self._shut()


class Limit(Stage[LimitData]):
    """limit_data: closes the stream after so many bytes, counted from when the toxic came into force."""

    _passed = 0

    def push(self, data: bytes, at: float) -> None:
        if self.shut:
            return
        left = max(self.attributes.bytes - self._passed, 0)
        passing = data[:left]
        if passing:
            self._passed += len(passing)
            self.onward.push(passing, at)
        if len(data) >= left:
            self._count(len(data) - len(passing))
            self._shut()

    def end(self) -> None:
        if not self.shut:
            self.onward.end()
