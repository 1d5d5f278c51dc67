"""The proxies of a run, as its faults see them: one for each link, on whichever Toxiproxy there is."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import quote, urlsplit

from chaos.live.faults import Attributes, Touched
from chaos.live.links import HOST, Links
from chaos.live.processes import Supervisor, listens

TIMED: Final = ("latency", "bandwidth", "slow_close", "slicer")


class RunProxies:
    """Implements `chaos.live.faults.Proxies`."""

    def __init__(self, supervisor: Supervisor, url: str | None, seed: int) -> None:
        self.timed = 0
        if url is None:
            port = supervisor.ports.free()
            url = f"http://{HOST}:{port}"
            child = supervisor.start(
                "toxiproxy",
                [sys.executable, "-m", "chaos.toxiproxy", "--port", str(port), "--seed", str(seed)],
            )
            supervisor.wait_ready(child, lambda: listens(port))
        self._netloc = urlsplit(url).netloc

    def create(self, links: Links) -> None:
        body = [
            {"name": link.name, "listen": f"{HOST}:{link.port}", "upstream": f"{HOST}:{link.upstream}"}
            for link in links
        ]
        self.ask("POST", "/populate", body)

    def add(self, link: str, kind: str, stream: str, attributes: Attributes) -> RunToxic:
        told = self.ask(
            "POST",
            f"/proxies/{quote(link, safe='')}/toxics",
            {"type": kind, "stream": stream, "attributes": attributes, "name": f"{kind}_{stream}_{self.number()}"},
        )
        timed = kind in TIMED
        self.timed += timed
        return RunToxic(self, link, told["name"], timed)

    _n = 0

    def number(self) -> int:
        self._n += 1
        return self._n

    def down(self, link: str) -> RunDown:
        before = self.ask("GET", f"/proxies/{quote(link, safe='')}/touched", None)
        self.ask("POST", f"/proxies/{quote(link, safe='')}", {"enabled": False})
        return RunDown(self, link, before)

    def faulty(self) -> list[str]:
        return [
            name
            for name, proxy in self.ask("GET", "/proxies", None).items()
            if proxy["toxics"] or not proxy["enabled"]
        ]

    def ask(self, method: str, path: str, body: Any) -> Any:
        connection = HTTPConnection(self._netloc, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            raw = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"{method} {path}: {raw!r}")
            return json.loads(raw) if raw else None
        finally:
            connection.close()


class RunToxic:
    def __init__(self, proxies: RunProxies, link: str, name: str, timed: bool) -> None:
        self._proxies = proxies
        self._link = quote(link, safe="")
        self._name = name
        self._timed = timed

    def remove(self) -> None:
        self._proxies.ask("DELETE", f"/proxies/{self._link}/toxics/{self._name}", None)
        self._proxies.timed -= self._timed

    def touched(self) -> Touched:
        told = self._proxies.ask("GET", f"/proxies/{self._link}/touched", None)["toxics"].get(self._name, {})
        return Touched(told.get("connections", 0), told.get("bytes", 0))


class RunDown:
    def __init__(self, proxies: RunProxies, link: str, before: Mapping[str, Any]) -> None:
        self._proxies = proxies
        self._link = quote(link, safe="")
        self._before = before

    def remove(self) -> None:
        self._proxies.ask("POST", f"/proxies/{self._link}", {"enabled": True})

    def touched(self) -> Touched:
        told = self._proxies.ask("GET", f"/proxies/{self._link}/touched", None)
        return Touched(told["dropped"] - self._before["dropped"], 0)
