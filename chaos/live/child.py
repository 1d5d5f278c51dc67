"""One real process of a run, over all its lives: started, paused, killed, started again.

Whatever is done to it is done to everything that it started as well, and verified.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from chaos.live import guardian

_GONE_S: Final = 60.0  # the kernel takes milliseconds, unless the machine is very busy
_TAIL_LINES: Final = 20


class ProcessDied(RuntimeError):
    """A process of the run ended unasked, or never became ready. The message ends with its last words."""


class Child:
    """A process of the run under its name, over all its lives. Made by `Supervisor.start`."""

    def __init__(self, name: str, log: Path, launch: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.name = name
        self.log = log
        self.lives = 1
        self._launch = launch
        self._process = launch()
        self._ended: subprocess.Popen[bytes] | None = None  # the latest life whose end was our doing

    @property
    def pid(self) -> int:
        """Of the present or last life."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it lives; negative: ended by that signal."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL to it and everything that it started, stopped or not; returns when all are gone."""
        self._ended = self._process
        tree = self._tree()
        for process in tree:
            _signal(process, signal.SIGKILL)
        self._process.wait(_GONE_S)
        guardian.become(tree, guardian.ENDED, _GONE_S)

    def terminate(self, grace_s: float = 5.0) -> int:
        """SIGTERM, and SIGKILL after `grace_s` real seconds; the exit code."""
        self._ended = self._process
        if self.returncode is None:
            self._process.terminate()
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.wait(_GONE_S)

    def stop(self) -> None:
        """SIGSTOP to it and everything that it started; returns when all stand still."""
        tree = self._tree()
        for process in tree:
            _signal(process, signal.SIGSTOP)
        if not guardian.become(tree, {psutil.STATUS_STOPPED, *guardian.ENDED}, _GONE_S):
            raise RuntimeError(f"{self.name} does not stop")

    def go_on(self) -> None:
        """SIGCONT to it and everything that it started."""
        for process in self._tree():
            _signal(process, signal.SIGCONT)

    def restart(self) -> None:
        """Start the same command again, after killing what is left of the last life. Not ready yet."""
        self.kill()
        with undisturbed():
            self._process = self._launch()
            self.lives += 1

    def wait(self, within_s: float) -> int:
        """Its exit code, when it ends by itself. Raises subprocess.TimeoutExpired."""
        code = self._process.wait(within_s)
        self._ended = self._process
        return code

    def check(self) -> None:
        """Raise ProcessDied when it ended unasked. From any thread, while another may start it again."""
        process = self._process
        code = process.poll()
        if code is not None and process is not self._ended:
            raise ProcessDied(f"{self.name} ended with {ending(code)}:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of its log."""
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-_TAIL_LINES:]) or f"(nothing in {self.log})"

    def _tree(self) -> list[psutil.Process]:
        if self.returncode is not None:
            return []
        try:
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


@contextmanager
def undisturbed() -> Iterator[None]:
    """Whatever happens in here happens whole: Ctrl-C is delivered at its end, to whoever handles it then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if caught:
            signal.raise_signal(signal.SIGINT)


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def ending(code: int) -> str:
    """An exit code in words."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
