"""Toxiproxy as the harness drives it, through `toxiproxy-python` and around that library's limits.

The library keeps host and port in class attributes: each client here has a subclass of its own, so two servers
can be driven at once. It has no update of toxics and no PATCH: POST does the same on every version of the server.
It sets no time-outs and takes an unexpected status for success: both are seen to here, and whatever goes wrong is
a `ToxiproxyError` that names server, verb and path.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

from requests import ConnectionError, RequestException, Response  # noqa: A004 - theirs, not Python's
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

TIMEOUT_S: Final = (
    60.0  # a server that hangs; one that works answers in milliseconds, on a busy machine in seconds
)
# Requests go where they are told, whatever proxies the environment names.
_STRAIGHT: Final = {"http": None, "https": None}


class ToxiproxyError(RuntimeError):
    """The Toxiproxy server refused, answered oddly, or did not answer."""


@dataclass(frozen=True, slots=True)
class Server:
    """Which Toxiproxy a run uses."""

    kind: str  # given, installed or embedded
    at: str  # URL of a given one; program of an installed one

    @classmethod
    def choose(cls, url: str | None) -> Self:
        """The one at `url`, else a `toxiproxy-server` on the PATH, else our own."""
        if url is not None:
            return cls("given", url)
        program = shutil.which("toxiproxy-server")
        return cls("embedded", sys.executable) if program is None else cls("installed", program)

    def command(self, host: str, port: int, seed: int) -> list[str]:
        """How to start it. An installed one takes no seed that has an effect; its metrics are evidence."""
        if self.kind == "given":
            raise ValueError(f"the Toxiproxy at {self.at} runs already")
        if self.kind == "installed":
            return [self.at, "-host", host, "-port", str(port), "-proxy-metrics"]
        own = [self.at, "-m", "chaos.toxiproxy"]
        return [*own, "--host", host, "--port", str(port), "--seed", str(seed)]


class Toxiproxy:
    """The API of one server; every method raises ToxiproxyError."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port or 8474
        except ValueError as error:
            raise ToxiproxyError(f"{url!r} is not the address of a Toxiproxy: {error}") from None
        if parts.scheme != "http" or not parts.hostname:
            raise ToxiproxyError(
                f"{url!r} is not the address of a Toxiproxy; one looks like http://127.0.0.1:8474"
            )
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.url = f"http://{host}:{port}"
        self._api: Any = type("_Api", (APIConsumer,), {"host": host, "port": port})
        self._timeout_s = timeout_s

    # -------------------------------------------------------- the server

    def version(self) -> str:
        """Of the server; `git` when it was built from source."""
        return str(self._ask("get", "/version")["version"])

    def reset(self) -> None:
        """Enable every proxy and remove every toxic."""
        self._ask("post", "/reset")

    # -------------------------------------------------------- proxies

    def create(
        self, name: str, upstream: str, listen: str = "127.0.0.1:0", toxics: Sequence[Mapping[str, Any]] = ()
    ) -> str:
        """A proxy, with its toxics in force before the first connection; returns where it listens.

        Toxics of any server: the proxy is created closed and opened when they are in place.
        """
        wanted = {"name": name, "upstream": upstream, "listen": listen, "enabled": not toxics}
        address = self._ask("post", "/proxies", wanted)["listen"]
        for toxic in toxics:
            self.add(name, toxic)
        return str(self._ask("post", _path(name), {"enabled": True})["listen"] if toxics else address)

    def populate(self, proxies: Sequence[Mapping[str, Any]]) -> None:
        """Many proxies at once: name, listen, upstream, enabled."""
        self._ask("post", "/populate", [dict(proxy) for proxy in proxies])

    def proxies(self) -> dict[str, dict[str, Any]]:
        """Each proxy by name, as the API shows it."""
        return dict(self._ask("get", "/proxies"))

    def enable(self, name: str, *, enabled: bool = True) -> None:
        """Open or close a proxy; closing cuts its connections."""
        self._ask("post", _path(name), {"enabled": enabled})

    def delete(self, name: str) -> None:
        self._ask("delete", _path(name))

    # -------------------------------------------------------- toxics

    def add(self, proxy: str, toxic: Mapping[str, Any]) -> str:
        """A toxic with type, name, stream, toxicity and attributes as the API has them; returns its name."""
        return str(self._ask("post", f"{_path(proxy)}/toxics", dict(toxic))["name"])

    def update(
        self, proxy: str, toxic: str, attributes: Mapping[str, int], toxicity: float | None = None
    ) -> None:
        """Other attributes (merged) and, if given, another toxicity; on open connections too."""
        body: dict[str, Any] = {"attributes": dict(attributes)}
        if toxicity is not None:
            body["toxicity"] = toxicity
        self._ask("post", f"{_path(proxy)}/toxics/{quote(toxic, safe='')}", body)

    def remove(self, proxy: str, toxic: str) -> None:
        self._ask("delete", f"{_path(proxy)}/toxics/{quote(toxic, safe='')}")

    # -------------------------------------------------------- asking

    def _ask(self, verb: str, path: str, body: object = None) -> Any:
        more = {} if body is None else {"json": body}
        where = f"Toxiproxy at {self.url}: {verb.upper()} {path}"
        try:
            answer: Response = getattr(self._api, verb)(
                path, timeout=self._timeout_s, proxies=_STRAIGHT, **more
            )
            if not answer.ok:
                raise ToxiproxyError(f"{where}: {answer.status_code} {answer.text.strip()}")
            return answer.json() if answer.content else None
        except (NotFound, ProxyExists, InvalidToxic) as error:
            told = error.args[0] if error.args else b""
            raise ToxiproxyError(f"{where}: {told.decode(errors='replace').strip()}") from None
        except (RequestException, ValueError) as error:
            raise ToxiproxyError(f"{where}: {_why(error)}") from None

    def text(self, path: str) -> str | None:
        """What stands at a path that not every server has; None where it is not there."""
        try:
            answer: Response = self._api.get(path, timeout=self._timeout_s, proxies=_STRAIGHT)
        except NotFound:
            return None
        except RequestException as error:
            raise ToxiproxyError(f"Toxiproxy at {self.url}: GET {path}: {_why(error)}") from None
        return answer.text if answer.ok else None


def _why(error: Exception) -> str:
    """A connection that failed says so in a nest of classes; what matters is that there is none."""
    return "nobody answers there" if isinstance(error, ConnectionError) else str(error)


def _path(proxy: str) -> str:
    return f"/proxies/{quote(proxy, safe='')}"
