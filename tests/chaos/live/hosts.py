"""Small programs that tests start as processes of a run: `python -m tests.chaos.live.hosts ROLE CLOCK …`."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from chaos.live.clock import SharedClock
from chaos.live.journal import Journal
from chaos.live.processes import Supervisor
from chaos.live.timers import AsyncTimers, run

HOUR_US = 3_600_000_000


def command(role: str, *arguments: object) -> list[str]:
    """What starts a program here."""
    return [sys.executable, "-m", "tests.chaos.live.hosts", role, *map(str, arguments)]


def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait for a condition; fail when it does not come true."""
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s, "it never came true"
        time.sleep(0.002)


def attended(clock: SharedClock, slots: int) -> Callable[[], bool]:
    """Whether so many processes have come and block."""
    return lambda: sum(look.pid > 0 and look.idle > 0 for look in clock.looks()) >= slots


def hourly(clock: SharedClock, name: str, journal: Path, offset_us: int, until_us: int) -> None:
    """Write a line every hour, by a timer."""
    lines = Journal(journal, clock.now_us)

    async def main(timers: AsyncTimers) -> None:
        for at_us in range(offset_us, until_us, HOUR_US):
            await timers.sleep_until(at_us)
            lines.notice(name, "hour", "", {"due_us": at_us})

    run(clock, clock.slot(name), main)
    lines.close()


def serve_slowly(clock: SharedClock, name: str, port: int, real_s: float) -> None:
    """A server that answers each line after a real while. It has nothing due and is idle meanwhile."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        await asyncio.sleep(real_s)
        writer.write(b"done\n")
        await writer.drain()
        writer.close()

    async def main(_: AsyncTimers) -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", port) as server:
            await server.serve_forever()

    run(clock, clock.slot(name), main)


def ask_once(clock: SharedClock, name: str, port: int, journal: Path) -> None:
    """Call the slow server once, at run time one hour."""
    lines = Journal(journal, clock.now_us)

    async def main(timers: AsyncTimers) -> None:
        await timers.sleep_until(HOUR_US)
        op = lines.invoke(name, "ask", {})
        with timers.working():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"please\n")
            answer = await reader.readline()
            writer.close()
        lines.ok(op, name, "ask", {"answer": answer.decode()})

    run(clock, clock.slot(name), main)
    lines.close()


def ping(clock: SharedClock, name: str, port: int, journal: Path, rounds: int) -> None:
    """Send a number, wait for it to come back, and have a timer between."""
    lines = Journal(journal, clock.now_us)

    async def main(timers: AsyncTimers) -> None:
        with timers.working():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(rounds):
            with timers.working():
                lines.notice(name, "sent", str(number), {})
                writer.write(f"{number}\n".encode())
                assert int(await reader.readline()) == number
            lines.notice(name, "received", str(number), {})
            await timers.sleep(HOUR_US)
        writer.close()

    run(clock, clock.slot(name), main)
    lines.close()


def pong(clock: SharedClock, name: str, port: int, journal: Path) -> None:
    """Send every number back, until there are no more."""
    lines = Journal(journal, clock.now_us)
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            number = line.decode().strip()
            lines.notice(name, "received", number, {})
            lines.notice(name, "sent", number, {})
            writer.write(line)
        writer.close()
        over.set()

    async def main(_: AsyncTimers) -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", port):
            await over.wait()

    run(clock, clock.slot(name), main)
    lines.close()


def read_time(clock: SharedClock, real_s: float) -> None:
    """Read the clock over and over; end with an error if it ever goes back."""
    last_us, end_s = 0, time.monotonic() + real_s
    while time.monotonic() < end_s:
        now_us = clock.now_us()
        if now_us < last_us:
            sys.exit(f"time went back from {last_us} to {now_us}")
        last_us = now_us


def stay_busy(clock: SharedClock, name: str) -> None:
    """Take a slot, and never block in the loop's sense."""
    clock.slot(name)
    time.sleep(300)


def orchestrate(directory: Path, port: int) -> None:
    """Three processes: one that listens, one in a private directory, one that is stopped. Then sleep."""
    with Supervisor(directory) as supervisor:
        data = supervisor.private_directory("data")
        (data / "file").write_text("something")
        supervisor.start("server", [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)])
        shell = "sleep 600 & exec env -i setsid -w sleep 600"  # without our mark in its environment
        supervisor.start("private", ["sh", "-c", shell], cwd=data)
        supervisor.start("stopped", ["sleep", "600"]).stop()
        pids = [str(child.pid) for child in supervisor.children.values()]
        (directory / "pids").write_text(" ".join(pids))
        threading.Event().wait(300)


def orchestrate_postgres(directory: Path, port: int) -> None:
    """A real PostgreSQL, which belongs to another user, with its processes' environments written over."""
    from chaos.live.initdb import Installation  # late: the other programs start faster without
    from chaos.live.postgres import Server

    with Supervisor(directory) as supervisor:
        server = Server(Installation.find(), port)
        supervisor.vanish(server.folder)
        server.create()
        server.start()
        assert server.process is not None
        with server.connect() as connection, connection.execute("select pg_backend_pid()") as found:
            pids = [server.process.pid, *(row[0] for row in found)]
            (directory / "folder").write_text(str(server.folder))
            (directory / "pids").write_text(" ".join(map(str, pids)))
            threading.Event().wait(300)


def orchestrate_interrupted(directory: Path, port: int) -> None:
    """`orchestrate`, ended as a command is."""
    try:
        orchestrate(directory, port)
    except KeyboardInterrupt:
        (directory / "results").write_text("readable")
        os._exit(130)


def spawn(role: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start a program here, outside of any supervisor."""
    return subprocess.Popen(command(role, *arguments))


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Every argument that names a clock or a file is a path, every number a number."""
    role, *rest = sys.argv[1:]
    if role.startswith("orchestrate"):
        starts = {
            "orchestrate": orchestrate,
            "orchestrate_postgres": orchestrate_postgres,
            "orchestrate_interrupted": orchestrate_interrupted,
        }
        starts[role](Path(rest[0]), int(rest[1]))
        return
    clock = SharedClock.open(Path(rest[0]))
    match role:
        case "hourly":
            hourly(clock, rest[1], Path(rest[2]), int(rest[3]), int(rest[4]))
        case "serve_slowly":
            serve_slowly(clock, rest[1], int(rest[2]), float(rest[3]))
        case "ask_once":
            ask_once(clock, rest[1], int(rest[2]), Path(rest[3]))
        case "ping":
            ping(clock, rest[1], int(rest[2]), Path(rest[3]), int(rest[4]))
        case "pong":
            pong(clock, rest[1], int(rest[2]), Path(rest[3]))
        case "read_time":
            read_time(clock, float(rest[1]))
        case "stay_busy":
            stay_busy(clock, rest[1])
        case _:
            sys.exit(f"no such role: {role}")
    clock.close()


if __name__ == "__main__":
    main()
