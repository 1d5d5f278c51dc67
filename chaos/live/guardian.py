"""Clears up behind an orchestrator that was killed before it could.

A process of its own, in a session of its own, that does nothing while the orchestrator lives. It waits
at a pipe that only the orchestrator holds: when that closes without a farewell, whatever the reason, it kills
every process of the run and removes the run's private directories. Death signals of the kernel
(PR_SET_PDEATHSIG) would reach direct children only, would be lost by a change of user, and would come with
the end of the thread that started them.

Processes of a run are known by a token in their environment. Some, like PostgreSQL's, write over their
environment: they are known by working in a private directory, or as children of the others.

Run as `python guardian.py TOKEN`, with lines on standard input: `private PATH`, `farewell`.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import psutil

MARK: Final = "DINGFENG_RUN"
"""The environment variable that every process of a run inherits."""

_GONE: Final = "gone"
ENDED: Final = frozenset({_GONE, "dead", "zombie"})
"""States, in psutil's words, of a process that does nothing any more. A zombie only waits to be asked for."""

_ORPHANED_S: Final = 0.25  # a fork of the orchestrator may hold the pipe open: its pid is looked at as well
_SEGMENT_LINE: Final = 6  # of postmaster.pid: key and id of a System V segment, which outlives kill -9
_BOUND_S: Final = 60.0
_TERMINAL, _BORN = 4, 19  # of a process's status, counted from behind its name


def members(token: str, private: Iterable[Path], since: int) -> list[psutil.Process]:
    """Every living process of a run; `since` is when the run began, see `born`."""
    import psutil

    folders = [os.path.realpath(path) for path in private]
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        if process.pid in found or process.pid == os.getpid():
            continue
        try:
            if process.status() in ENDED or born(process.pid) < since:
                continue
            if _has_token(process, token) or _works_in(process, folders):
                found[process.pid] = process
                found.update((child.pid, child) for child in process.children(recursive=True))
        except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
            continue  # it ended while we looked, or it is a stranger's
    return [process for process in found.values() if _state(process) not in ENDED]


def end(token: str, private: Iterable[Path], since: int, bound_s: float) -> list[psutil.Process]:
    """Kill every process of a run, those that they start meanwhile too; what lives on after `bound_s`."""
    import psutil

    deadline_s = time.monotonic() + bound_s
    while left := members(token, private, since):
        for process in left:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        become(left, ENDED, 0.2)
        if time.monotonic() > deadline_s:
            return left
    return []


def clear(private: Iterable[Path]) -> None:
    """Remove directories, and the shared memory of a PostgreSQL that was killed in one of them."""
    libc = ctypes.CDLL(None, use_errno=True)
    for path in private:
        for lock in (*path.glob("postmaster.pid"), *path.glob("*/postmaster.pid")):
            lines = lock.read_text("utf-8", "replace").splitlines()
            if len(lines) > _SEGMENT_LINE:
                segment = int(lines[_SEGMENT_LINE].split()[-1])
                libc.shmctl(ctypes.c_int(segment), ctypes.c_int(0), None)  # IPC_RMID; gone already is as good
        shutil.rmtree(path, ignore_errors=True)


def _has_token(process: psutil.Process, token: str) -> bool:
    return bool(process.environ().get(MARK) == token)


def _works_in(process: psutil.Process, folders: list[str]) -> bool:
    """Someone at a terminal who only looks into a directory is not meant."""
    if not folders or _at_terminal(process.pid):
        return False
    place = process.cwd()
    return any(place == folder or place.startswith(folder + os.sep) for folder in folders)


def _at_terminal(pid: int) -> bool:
    """Whether a process has a controlling terminal. psutil would answer from a list of terminals it once made."""
    return _status(pid)[_TERMINAL] != "0"


def born(pid: int) -> int:
    """When a process was started, in the kernel's ticks since boot: the wall's clock may be corrected meanwhile.

    Raises ProcessLookupError.
    """
    return int(_status(pid)[_BORN])


def _status(pid: int) -> list[str]:
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (
        FileNotFoundError
    ) as error:  # it ended before the file was opened; ended later, it is the other error
        raise ProcessLookupError(pid) from error
    return status.rpartition(")")[2].split()


def become(processes: Iterable[psutil.Process], states: Collection[str], bound_s: float) -> bool:
    """Wait until every process is in one of these states; False when one is not by then."""
    deadline_s = time.monotonic() + bound_s
    for process in processes:
        while _state(process) not in states:
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.001)
    return True


def _state(process: psutil.Process) -> str:
    import psutil

    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return _GONE


def _wait(private: list[Path]) -> bool:
    """Until the orchestrator says farewell (True) or is gone (False)."""
    parent = os.getppid()
    text = b""
    while True:
        ready, _, _ = select.select([sys.stdin.fileno()], [], [], _ORPHANED_S)
        if ready:
            news = os.read(sys.stdin.fileno(), 65536)
            if not news:
                return False
            *lines, text = (text + news).split(b"\n")
            for line in lines:
                word, _, rest = line.decode().partition(" ")
                if word == "farewell":
                    return True
                private.append(Path(rest))
        elif os.getppid() != parent:
            return False


def main() -> int:
    """Exit codes: 0 nothing is left, 4 something could not be killed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    token, private = sys.argv[1], list[Path]()
    if _wait(private):
        return 0
    left = end(token, private, born(os.getpid()), _BOUND_S)
    clear(private)
    return 4 if left else 0


if __name__ == "__main__":
    sys.exit(main())
