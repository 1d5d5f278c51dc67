"""`python -m tests.chaos.live.soak_interrupts [--times 30] [--seed 1]`: Ctrl-C at random moments of a live run.

Each time the real command is started in a session of its own, as from a terminal, and its group gets SIGINT;
every third time once more, from somebody impatient. Afterwards nothing of it may be there: no process,
no listening socket, no directory, no shared memory; the exit code is 130 as a shell counts it (a second signal may
end Python itself, after everything is done), and the results directory can be reported or says that nothing was
recorded.
"""

from __future__ import annotations

import argparse
import os
import pty
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from chaos.live.guardian import MARK

ROOT = Path(__file__).parents[3]
SCENARIO, DESIGN = "callback_late", "resilient"
INTERRUPTED = 130
GONE_S = 120.0
MOMENTS = (
    ("", 4.0),
    ("is ready", 3.0),
    ("storm", 4.0),
    ("storm", 8.0),
    ("quiet", 3.0),
    ("final reads", 1.5),
    ("judging", 0.5),
    ("judging", 2.0),
)
"""What must have been said, and up to how many real seconds after that."""

KEPT = re.compile(r"^(dingfeng-postgres-\d+|matplotlib-.*)$")
"""What stays in the temporary directory on purpose: the programs of PostgreSQL, copied once."""

PHASE = re.compile(r"seed \d+: ([a-z][a-z -]+)")
NOT_UP = "Fatal Python error: init_"
"""What Python says when it is interrupted before it is up; none of our code has run then."""

CONTROL = re.compile(r"\x1b\[[?\d]*[A-Za-z]")


@dataclass
class Interrupted:
    """One run that was interrupted, and what was wrong afterwards; nothing when all is well."""

    after_s: float
    phase: str
    code: int
    clearing_s: float
    results: str
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = "; ".join(self.wrong) or "nothing left"
        return (
            f"{self.after_s:6.2f} s  {self.phase:<42} exit {self.code:>3} within {self.clearing_s:5.2f} s  "
            f"{self.results:<22} {told}"
        )


@dataclass
class Belongings:
    """Everything seen of a run while it lived."""

    token: str
    processes: set[psutil.Process] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)

    def look(self, root: psutil.Process) -> None:
        """Note what is there now. A PostgreSQL has a session of its own, and is still its starter's child."""
        try:
            tree = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        self.processes.update(tree)
        for process in tree:
            try:
                found = process.net_connections("tcp")
            except psutil.Error:
                continue
            self.ports.update(one.laddr.port for one in found if one.status == psutil.CONN_LISTEN)

    def left(self) -> list[str]:
        """What lives on, in words."""
        _, alive = psutil.wait_procs(list(self.processes), timeout=2.0)
        alive = [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
        wrong = [f"process {process}" for process in {*alive, *_marked(self.token)}]
        pids = {process.pid for process in self.processes}
        listening = [one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
        wrong += [
            f"port {one.laddr.port} is listened on by {one.pid}"
            for one in listening
            if one.laddr and one.laddr.port in self.ports and _is_ours(one.pid, pids)
        ]
        segments = Path("/proc/sysvipc/shm").read_text("ascii").splitlines()[1:]
        wrong += [f"segment {line.split()[1]}" for line in segments if int(line.split()[4]) in pids]
        return wrong


def _marked(token: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if token in process.environ().get(MARK, "") and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except psutil.Error:
            continue  # it ended while we looked, or is somebody else's


def _is_ours(pid: int | None, pids: set[int]) -> bool:
    """A port that others have taken meanwhile is no concern of ours."""
    return pid is None or pid in pids


@contextmanager
def _screen() -> Iterator[tuple[int, list[str]]]:
    """A terminal for standard error, and what has been written to it."""
    ours, theirs = pty.openpty()
    said: list[str] = []

    def read() -> None:
        while True:
            try:
                text = os.read(ours, 4096)
            except OSError:
                return  # nobody has it open any more
            if not text:
                return
            said.append(text.decode("utf-8", "replace"))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield theirs, said
    finally:
        reader.join(5.0)
        os.close(ours)


def interrupt(
    out: Path, scratch: Path, said_first: str, after_s: float, again_s: float | None = None
) -> Interrupted:
    """Run it, interrupt it so long (real seconds) after it has said something, perhaps once more, and look."""
    surroundings = {**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "dingfeng.py", "live", SCENARIO, "-d", DESIGN, "--out", str(out)]
    with _screen() as (screen, said):
        try:
            process = subprocess.Popen(
                command, cwd=ROOT, env=surroundings, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=screen, start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(screen)
        belongings = Belongings(f"-{process.pid}-")
        began_s = time.monotonic()
        root = psutil.Process(process.pid)
        try:
            while process.poll() is None and said_first not in "".join(said):
                belongings.look(root)
                time.sleep(0.02)
            ends_s = time.monotonic() + after_s
            while process.poll() is None and (left_s := ends_s - time.monotonic()) > 0:
                belongings.look(root)
                time.sleep(min(0.1, left_s))
            over = process.poll() is not None
            sent_s = time.monotonic()
            for pause_s in (0.0, again_s):
                if pause_s is not None and process.poll() is None:
                    time.sleep(pause_s)
                    os.killpg(process.pid, signal.SIGINT)
                    belongings.look(root)
            code = process.wait(GONE_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        clearing_s = time.monotonic() - sent_s
    text = "".join(said)
    phases = PHASE.findall(text)
    phase = "over already" if over else phases[-1] if phases else "before anything was started"
    seen_code = 128 - code if code < 0 else code
    result = Interrupted(sent_s - began_s, phase, seen_code, clearing_s, _report(out), belongings.left())
    result.wrong += [str(path) for path in scratch.iterdir() if not KEPT.match(path.name)]
    result.wrong += [str(path) for path in scratch.glob("dingfeng-postgres-*/making-*")]
    if not over and NOT_UP not in text and (result.code != INTERRUPTED or (phases and "Traceback" in text)):
        lines = [line for line in CONTROL.sub("", text).splitlines() if "seed 1: " not in line]
        result.wrong.append("\n".join(["said", *lines[-60:]]))
    if result.results.startswith("?"):
        result.wrong.append("results cannot be read")
    return result


def _report(out: Path) -> str:
    """What `dingfeng report` makes of the results."""
    if not out.exists():
        return "no directory"
    done = subprocess.run(
        [sys.executable, "dingfeng.py", "report", str(out)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return "reported"
    told = done.stderr.strip().splitlines()
    return "said: nothing" if done.returncode == 2 and len(told) == 1 else f"? {done.stderr[-300:]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    draw = random.Random(given.seed)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background jobs inherit that it is ignored
    failed = 0
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        scratch, outs = Path(name) / "tmp", Path(name) / "out"
        Path(name).chmod(0o755)  # PostgreSQL runs under another account
        scratch.mkdir()
        outs.mkdir()
        for number in range(given.times):
            said_first, within_s = MOMENTS[number % len(MOMENTS)]
            again_s = draw.uniform(0.02, 1.0) if number % 3 == 2 else None
            result = interrupt(outs / str(number), scratch, said_first, draw.uniform(0.0, within_s), again_s)
            failed += bool(result.wrong)
            print(f"{number + 1:>3} {'twice' if again_s else 'once ':<5} {result}", flush=True)  # noqa: T201
    print(f"{given.times} interrupts, {failed} left something behind or ended otherwise")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
