"""All proxies of one server: found by name, added, replaced, populated from a list, reset.

Changes of what listens go one after another, because each waits for sockets in between.
"""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from chaos.toxiproxy.proxy import Proxy
from chaos.toxiproxy.refusal import Refusal, bad_body, missing_field, no_proxy, proxy_exists
from chaos.toxiproxy.toxics import convert
from sim.randomness import Streams


class _Wanted(Struct):
    """A proxy as a request describes it. `toxics` is ours: a proxy and its toxics in one step."""

    name: str = ""
    upstream: str = ""
    listen: str = ""
    enabled: bool = True
    toxics: list[Any] = []


class _Change(Struct):
    upstream: str | UnsetType = UNSET
    listen: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class Collection:
    """The proxies of one server."""

    def __init__(self, seed: int) -> None:
        self.streams = Streams(seed)
        self._proxies: dict[str, Proxy] = {}
        self._changing = asyncio.Lock()

    def all(self) -> list[Proxy]:
        """By name."""
        return [self._proxies[name] for name in sorted(self._proxies)]

    def get(self, name: str) -> Proxy:
        """Raises Refusal when there is none of this name."""
        if name not in self._proxies:
            raise no_proxy()
        return self._proxies[name]

    async def create(self, body: object) -> Proxy:
        """A new proxy; its toxics are in force before its first connection is accepted. Raises Refusal."""
        wanted = convert(body, _Wanted)
        proxy = self._built(wanted)
        async with self._changing:
            if wanted.name in self._proxies:
                raise proxy_exists()
            if wanted.enabled:
                await proxy.start()
            self._proxies[proxy.name] = proxy
        return proxy

    async def update(self, name: str, body: object) -> Proxy:
        """Listen, upstream and enabled; the name cannot be changed and is ignored. Raises Refusal."""
        async with self._changing:
            proxy = self.get(name)
            change = convert(body, _Change)
            await proxy.update(
                proxy.address if change.listen is UNSET else change.listen,
                proxy.upstream if change.upstream is UNSET else change.upstream,
                enabled=proxy.enabled if change.enabled is UNSET else change.enabled,
            )
        return proxy

    async def delete(self, name: str) -> None:
        """Raises Refusal when there is none of this name."""
        async with self._changing:
            await self.get(name).stop()
            del self._proxies[name]

    async def populate(self, body: object) -> tuple[list[Proxy], Refusal | None]:
        """Adds or replaces each proxy in order; a bad entry is refused before anything changes.

        Returns what was done, and what stopped it. A proxy that is as wanted already is left alone.
        """
        try:
            built = [(self._built(wanted, number), wanted) for number, wanted in enumerate(_entries(body), 1)]
        except Refusal as refusal:
            return [], refusal
        done: list[Proxy] = []
        async with self._changing:
            for proxy, wanted in built:
                try:
                    done.append(await self._replaced(proxy, enabled=wanted.enabled))
                except Refusal as refusal:
                    return done, refusal
        return done, None

    async def _replaced(self, proxy: Proxy, *, enabled: bool) -> Proxy:
        existing = self._proxies.get(proxy.name)
        if existing is not None:
            if not await existing.differs(proxy.address, proxy.upstream):
                return existing
            await existing.stop()
        if enabled:
            await proxy.start()
        self._proxies[proxy.name] = proxy
        return proxy

    async def reset(self) -> None:
        """Enables every proxy and removes every toxic. Raises Refusal when one cannot listen."""
        async with self._changing:
            for proxy in self.all():
                await proxy.start()
                for toxic in proxy.toxics():
                    proxy.remove(toxic.name)

    async def close(self) -> None:
        """Stops every proxy."""
        async with self._changing:
            for proxy in self.all():
                await proxy.stop()

    def _built(self, wanted: _Wanted, number: int | None = None) -> Proxy:
        where = "" if number is None else f" at proxy {number}"
        for field in ("name", "upstream"):
            if not getattr(wanted, field):
                raise missing_field(f"{field}{where}")
        proxy = Proxy(wanted.name, wanted.listen, wanted.upstream, self.streams)
        for body in wanted.toxics:
            proxy.add(body)
        return proxy


def _entries(body: object) -> list[_Wanted]:
    if not isinstance(body, list):
        raise bad_body("Expected a list of proxies")
    return [convert(entry, _Wanted) for entry in body]
