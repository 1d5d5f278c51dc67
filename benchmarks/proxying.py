"""What a proxy costs: our Toxiproxy and the upstream one against a direct connection, alternately in one run.

    python -m benchmarks.proxying [--rounds N] [--json]

Round trips of 100 bytes on one connection (their latency) and on sixteen in turn (their rate), and the throughput of
one connection; once without toxics, once behind a slicer that never cuts, which shows what any toxic costs.
A ratio of runs next to each other depends little on the machine, so the median of the rounds' ratios counts.
Without a `toxiproxy-server` on the PATH or in .ci/run's cache only ours is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ROUND_TRIPS = 2_000
BULK_BYTES = 200_000_000
CONNECTIONS = 16
MESSAGE = bytes(100)
TOXIC = {"type": "slicer", "attributes": {"average_size": 1_000_000_000}}
HOST = "127.0.0.1"
FIGURES = (
    "round trips/s, 1 connection",
    "p50 µs",
    "p99 µs",
    f"round trips/s, {CONNECTIONS} connections",
    "MB/s",
)


def serve() -> None:
    """The upstream, in a process of its own: echoes, or sends so many bytes as the first line asks for."""
    with socket.create_server((HOST, 0), backlog=64) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            plug, _ = listener.accept()
            threading.Thread(target=_answer, args=(plug,), daemon=True).start()


def _answer(plug: socket.socket) -> None:
    with plug:
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wanted = int(plug.recv(20))
        block = bytes(1 << 20)
        for _ in range(wanted // len(block)):
            plug.sendall(block)
        plug.sendall(block[: wanted % len(block)])
        while not wanted and (data := plug.recv(1 << 16)):
            plug.sendall(data)


def connect(port: int, wanted: int) -> socket.socket:
    plug = socket.create_connection((HOST, port), 60)
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plug.sendall(b"%020d" % wanted)
    return plug


def _trip(plug: socket.socket) -> None:
    plug.sendall(MESSAGE)
    got = 0
    while got < len(MESSAGE):
        got += len(plug.recv(1 << 16))


def measure(port: int) -> dict[str, float]:
    """All figures of one way to the upstream."""
    with ExitStack() as stack:
        plugs = [stack.enter_context(connect(port, 0)) for _ in range(CONNECTIONS)]
        for plug in plugs:
            _trip(plug)
        taken = []
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter()
            _trip(plugs[0])
            taken.append(time.perf_counter() - began)
        began = time.perf_counter()
        for _ in range(ROUND_TRIPS // CONNECTIONS):
            for plug in plugs:
                plug.sendall(MESSAGE)
            for plug in plugs:
                plug.recv(1 << 16)
        many_s = time.perf_counter() - began
    cuts = statistics.quantiles(taken, n=100)
    rates = (len(taken) / sum(taken), cuts[49] * 1e6, cuts[98] * 1e6, ROUND_TRIPS / many_s, _throughput(port))
    return dict(zip(FIGURES, rates, strict=True))


def _throughput(port: int) -> float:
    buffer = bytearray(1 << 20)
    began, got = time.perf_counter(), 0
    with connect(port, BULK_BYTES) as plug:
        while got < BULK_BYTES:
            got += plug.recv_into(buffer)
    return BULK_BYTES / (time.perf_counter() - began) / 1e6


@contextmanager
def process(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    quiet = {**os.environ, "LOG_LEVEL": "error"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=quiet) as run:  # noqa: S603 - our own servers
        try:
            yield run
        finally:
            run.kill()


def proxied(api: int, upstream: int, toxics: Sequence[dict[str, Any]]) -> int:
    """The port of a new proxy; the server may still be starting."""
    name = f"p{len(toxics)}"
    body = {"name": name, "listen": f"{HOST}:0", "upstream": f"{HOST}:{upstream}"}
    until = time.monotonic() + 30
    while True:
        try:
            listen = _ask(api, "/proxies", body)["listen"]
            break
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    for toxic in toxics:
        _ask(api, f"/proxies/{name}/toxics", toxic)
    return int(listen.rpartition(":")[2])


def _ask(api: int, path: str, body: object) -> Any:
    connection = HTTPConnection(HOST, api, timeout=30)
    try:
        connection.request("POST", path, json.dumps(body))
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def servers() -> dict[str, list[str]]:
    """How to start each server that is here; the port of the API is still to come."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dingfeng" / "bin"
    found = {"ours": [sys.executable, "-m", "chaos.toxiproxy", "--port"]}
    upstream = shutil.which(
        "toxiproxy-server", path=os.pathsep.join([os.environ.get("PATH", ""), str(cache)])
    )
    if upstream is not None:
        found["upstream's"] = [upstream, "-host", HOST, "-port"]
    return found


def table(rounds: int) -> dict[str, dict[str, float]]:
    """For each way, the median of each figure, and of its ratio to the direct connection in the same round."""
    with ExitStack() as stack:
        target = stack.enter_context(process([sys.executable, __file__, "--serve"]))
        assert target.stdout is not None
        ways = {"direct": int(target.stdout.readline())}
        for name, command in servers().items():
            with socket.create_server((HOST, 0)) as plug:
                api = int(plug.getsockname()[1])
            stack.enter_context(process([*command, str(api)]))
            ways[name] = proxied(api, ways["direct"], [])
            ways[f"{name}, a toxic"] = proxied(api, ways["direct"], [TOXIC])
        seen = [{way: measure(port) for way, port in ways.items()} for _ in range(rounds)]
    rows: dict[str, dict[str, float]] = {}
    for way in ways:
        rows[way] = {}
        for figure in FIGURES:
            rows[way][figure] = statistics.median(one[way][figure] for one in seen)
            ratios = [one[way][figure] / one["direct"][figure] for one in seen]
            rows[way][f"{figure} against direct"] = statistics.median(ratios)
    return rows


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.serve:
        serve()
    rows = table(given.rounds)
    if given.json:
        print(json.dumps({"rounds": given.rounds, "ways": rows}))
        return 0
    for figure in FIGURES:
        print(figure)
        for way, row in rows.items():
            print(f"  {way:20} {row[figure]:12,.0f}   × {row[f'{figure} against direct']:.2f}")
    if "upstream's" not in rows:
        print("upstream's server is not here: .ci/run builds it where Go is")
    return 0


if __name__ == "__main__":
    sys.exit(main())
