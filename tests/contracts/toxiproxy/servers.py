"""Toxiproxy servers to hold against the contract: our own, and the upstream one where this machine has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest

from chaos.live.ports import Ports

ROOT = Path(__file__).parents[3]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dingfeng"  # as in .ci/run
STARTS_S = 60.0
SEED = 7  # of our own server, where all tests share it


class Answer(NamedTuple):
    """What the API answered; `body` is None when there was none."""

    status: int
    body: Any
    headers: dict[str, str]


class Server:
    """A running server."""

    def __init__(self, kind: str, port: int) -> None:
        self.kind = kind
        self.host, self.port = "127.0.0.1", port
        self.url = f"http://{self.host}:{port}"

    def ask(self, verb: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request; `body` is sent as JSON, or as it is if it is bytes."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(
                verb, path, data, {name.replace("_", "-"): text for name, text in headers.items()}
            )
            answer = connection.getresponse()
            raw = answer.read()
        finally:
            connection.close()
        try:
            told = json.loads(raw) if raw else None
        except ValueError:
            told = raw.decode()
        return Answer(answer.status, told, {name.lower(): text for name, text in answer.headers.items()})

    def done(self, verb: str, path: str, body: object = None) -> Any:
        """A request that must succeed."""
        answer = self.ask(verb, path, body)
        assert answer.status < 300, answer
        return answer.body

    def clear(self) -> None:
        for name in self.done("GET", "/proxies"):
            self.done("DELETE", f"/proxies/{name.replace('>', '%3E')}")


def missing(what: str) -> NoReturn:
    """Skips, and says what is not there; on CI it must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI: {what}")
    pytest.skip(what)


def upstream_program() -> str | None:
    """The upstream server: on the PATH, where Go installs, or where .ci/run puts it."""
    folders = (CACHE / "bin", Path(os.environ.get("GOPATH") or Path.home() / "go") / "bin")
    places = os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)])
    return shutil.which("toxiproxy-server", path=places)


@contextmanager
def running(kind: str, *more: str) -> Iterator[Server]:
    """A server of this kind, `embedded` or `upstream`, until the end of the block."""
    with Ports() as ports:
        yield from _running(kind, ports.free(), more)


def _running(kind: str, port: int, more: tuple[str, ...]) -> Iterator[Server]:
    if kind == "embedded":
        command = [sys.executable, "-m", "chaos.toxiproxy", "--port", str(port), *more]
    else:
        program = upstream_program()
        if program is None:
            if shutil.which("go") is None:
                pytest.skip("no toxiproxy-server, and no Go to build it with")
            missing("no toxiproxy-server; .ci/run builds it")
        command = [program, "-host", "127.0.0.1", "-port", str(port), "-proxy-metrics", *more]
    silent = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, stdout=silent, env={**os.environ, "LOG_LEVEL": "error"})
    try:
        server = Server(kind, port)
        _wait_until_it_answers(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            process.kill()
            process.wait()


def _wait_until_it_answers(server: Server, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_S
    while time.monotonic() < until:
        assert process.poll() is None, "the server has ended"
        try:
            server.ask("GET", "/version")
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the server does not answer")
