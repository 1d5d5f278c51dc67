"""Starts the real processes of a run, kills, pauses and restarts them, and leaves none behind.

Each process gets a session of its own, so that Ctrl-C at the terminal reaches the orchestrator alone, which
then ends the run in order. Standard output and error go to `logs/NAME.log` in the run's directory. `close`
looks for everything that belongs to the run, kills it and verifies that no process, no listening
socket and no private directory is left. Should the orchestrator be killed, `guardian` does the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Final, Self

from chaos.live import guardian
from chaos.live.child import Child, ProcessDied, ending, undisturbed
from chaos.live.ports import Ports, listens
from chaos.live.slots import Slot

__all__ = ["Child", "LeftBehind", "ProcessDied", "Supervisor", "listens", "undisturbed"]

_PROBE_S: Final = 0.01
_GONE_S: Final = 60.0  # as in `child`


class LeftBehind(RuntimeError):
    """Something of the run could not be cleared away."""


class Supervisor:
    """All processes of a run. Use it `with`, or `close` it whatever happens."""

    def __init__(self, directory: Path, slot: Slot | None = None) -> None:
        """`slot`, the orchestrator's, holds the clock at the wall's pace while a process becomes ready."""
        self.directory = directory
        self.children: dict[str, Child] = {}
        self.ports = Ports()
        self._slot = slot
        self._private: list[Path] = []
        self.mark = {guardian.MARK: f"{directory.name}-{os.getpid()}-{time.monotonic_ns()}"}
        """Belongs into the environment of processes that somebody else starts for the run."""
        self._closed = False
        (directory / "logs").mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", guardian.__file__, self.mark[guardian.MARK]]
        with undisturbed():
            self._guardian = subprocess.Popen(  # noqa: S603 - our own file
                command, stdin=subprocess.PIPE, start_new_session=True
            )
        self._since = guardian.born(self._guardian.pid)

    def private_directory(self, name: str) -> Path:
        """A new directory in the run's own, for data that goes when the run ends, however it ends."""
        path = self.directory / name
        path.mkdir(parents=True)
        self.vanish(path)
        return path

    def vanish(self, path: Path) -> None:
        """Take over a directory: it goes when the run ends, with every process that works in it."""
        self._private.append(path)
        self._tell(f"private {path.resolve()}")

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        **popen: Any,
    ) -> Child:
        """Start a process; `env` is added to ours, `popen` goes to `subprocess.Popen` (`user`, `group`…).

        A name belongs to one child; use `Child.restart` for another life. Raises OSError when there
        is no such program.
        """
        if name in self.children:
            raise ValueError(f"there is a process named {name!r} already")
        log = self.directory / "logs" / f"{name}.log"
        surroundings = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {}), **self.mark}

        def launch() -> subprocess.Popen[bytes]:
            with log.open("ab") as out:
                return subprocess.Popen(  # noqa: S603 - the run's own programs
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env=surroundings,
                    cwd=cwd,
                    **popen,
                )

        self.check()
        with undisturbed():
            child = self.children[name] = Child(name, log, launch)
        return child

    def wait_ready(self, child: Child, probe: Callable[[], bool], within_s: float = 180.0) -> None:
        """Until `probe()`; the clock runs at the wall's pace meanwhile. Raises ProcessDied."""
        with self._slot.holding() if self._slot else nullcontext():
            deadline_s = time.monotonic() + within_s
            while not _is_ready(child, probe, deadline_s, within_s):
                time.sleep(_PROBE_S)

    def check(self) -> None:
        """Raise ProcessDied when any process ended unasked."""
        if self._guardian.poll() is not None:
            raise ProcessDied(f"the guardian of the run ended with {ending(self._guardian.returncode)}")
        for child in self.children.values():
            child.check()

    def close(self) -> None:
        """Kill what is left, and verify it. Ctrl-C waits until it is done. Twice does no harm.

        Raises LeftBehind naming what could not be cleared away.
        """
        if self._closed:
            return
        with undisturbed():
            for child in self.children.values():
                child.kill()
            left = guardian.end(self.mark[guardian.MARK], self._private, self._since, _GONE_S)
            guardian.clear(self._private)
            complaints = [f"process {process}" for process in left if process.pid != self._guardian.pid]
            complaints += [f"port {port} is still listened on" for port in self.ports.listening()]
            complaints += [f"directory {path}" for path in self._private if path.exists()]
            self.ports.close()
            self._dismiss_guardian()
            self._closed = True
        if complaints:
            raise LeftBehind(f"the run left behind: {'; '.join(complaints)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _dismiss_guardian(self) -> None:
        assert self._guardian.stdin is not None
        with suppress(ProcessDied):  # it was killed; what it was for is done
            self._tell("farewell")
        with suppress(BrokenPipeError):
            self._guardian.stdin.close()
        self._guardian.wait(_GONE_S)

    def _tell(self, line: str) -> None:
        assert self._guardian.stdin is not None
        try:
            self._guardian.stdin.write(line.encode() + b"\n")
            self._guardian.stdin.flush()
        except BrokenPipeError as error:
            raise ProcessDied("the guardian of the run is gone") from error


def _is_ready(child: Child, probe: Callable[[], bool], deadline_s: float, within_s: float) -> bool:
    child.check()
    if probe():
        return True
    if time.monotonic() > deadline_s:
        raise ProcessDied(f"{child.name} was not ready within {within_s} s:\n{child.tail()}")
    return False
