"""One embedded PostgreSQL as a process: start, kill -9, immediate stop, recovery, and nothing left behind.

By default the server does not wait for the disk (`fsync` off). What a killed process had written is in
the machine's memory and is read again, so every promise that kill -9 can test is kept; only a machine that
loses power could break it, and none does here. Pages are still written whole into the log, because a
killed process may have written half a page. With `fsync` on a commit took 50 times as long, and
recovery 50 times (docs/decisions/0018-postgres.md).
"""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

import psutil
import psycopg
from psycopg.sql import SQL, Identifier, Literal

from chaos.live import guardian
from chaos.live.initdb import SUPERUSER, Installation, PostgresBroken

HOST: Final = "127.0.0.1"
OURS: Final = "dingfeng"  # the application name of our own connections
READY_S: Final = 60.0
PATIENCE_S: Final = 60  # a server of ours that took a connection answers on it, however busy the machine is
GONE_S: Final = 60.0
SETTINGS: Final[Mapping[str, Any]] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_connections": 200,
    "max_wal_senders": 8,
    "max_replication_slots": 8,
    "shared_buffers": "32MB",
    "min_wal_size": "8MB",
    "max_wal_size": "128MB",
    "dynamic_shared_memory_type": "mmap",  # in the data directory, so that kill -9 leaves nothing in /dev/shm
    "max_parallel_workers_per_gather": 0,
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %a ",
    "restart_after_crash": "on",
}


class Server:
    """A postmaster with its data directory below `folder`. Made stopped; `close` removes the folder.

    All its processes work in that folder, so `Supervisor.vanish(server.folder)` puts it under guard.

    `settings` are the server's own, over `SETTINGS`. Methods that talk to it raise psycopg.OperationalError
    while it is down.
    """

    def __init__(
        self,
        installation: Installation,
        port: int,
        *,
        settings: Mapping[str, Any] | None = None,
        fsync: bool = False,
    ) -> None:
        self.port = port
        self.folder = installation.new_folder()
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.password = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._installation = installation
        self._settings = {**SETTINGS, "fsync": "on" if fsync else "off", "port": port, **(settings or {})}
        self._shared_memory = -1

    @property
    def url(self) -> str:
        """Where it listens, with the superuser's name and password."""
        return f"postgresql://{SUPERUSER}:{quote(self.password)}@{HOST}:{self.port}/postgres"

    @property
    def running(self) -> bool:
        """Whether the postmaster lives; it may not be ready."""
        return self.process is not None and self.process.poll() is None

    def create(self) -> None:
        """Make an empty data directory."""
        self.password = self._installation.new_data(self.data)

    def copy_of(self, primary: Server, name: str) -> None:
        """Make the data directory that of a streaming replica, known to the primary by `name`."""
        source = f"host={HOST} port={primary.port} user={SUPERUSER} application_name={name}"
        self._installation.run(
            "pg_basebackup", "--pgdata", self.data, "--dbname", source, "--write-recovery-conf",
            "--checkpoint=fast", "--no-sync", "--wal-method=stream", env={"PGPASSWORD": primary.password},
        )  # fmt: skip
        self.password = primary.password

    def start(self) -> None:
        """Start it, unless it runs, and wait until it takes connections, recovery included.

        Raises PostgresBroken with the end of its log.
        """
        self.launch()
        deadline = time.monotonic() + READY_S
        while not self.ready():
            if not self.running or time.monotonic() > deadline:
                raise PostgresBroken(f"PostgreSQL did not come up: {self.complaint()}")
            time.sleep(0.005)

    def launch(self) -> None:
        """Start it, unless it runs, and do not wait."""
        if self.running:
            return
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                [str(self._installation.programs / "postgres"), "-D", str(self.data), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self._installation.account,
            )

    def ready(self) -> bool:
        """Whether the postmaster has written that it is ready, and lets us in."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        if len(lines) < 8 or self.process is None or int(lines[0]) != self.process.pid:
            return False
        self._shared_memory = int(lines[6].split()[-1])
        if lines[7].strip() != "ready":
            return False
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of our own, in autocommit."""
        return psycopg.connect(self.url, autocommit=True, application_name=OURS, connect_timeout=PATIENCE_S)

    def sessions(self) -> int:
        """How many clients are connected, as its processes' titles tell; our own among them."""
        if self.process is None:
            return 0
        return sum(f" {HOST}(" in " ".join(_title(child)) for child in _children(self.process.pid))

    def kill(self) -> int:
        """SIGKILL to the postmaster and all of its children; how many sessions that cut off.

        The next start recovers from the log.
        """
        if self.process is None or not self.running:
            return 0
        sessions = self.sessions()
        # Stopped first, so that no child is born unseen. It is not when the signal is sent, but soon after.
        postmaster = psutil.Process(self.process.pid)
        self.process.send_signal(signal.SIGSTOP)
        guardian.become([postmaster], {psutil.STATUS_STOPPED, *guardian.ENDED}, GONE_S)
        children = _children(self.process.pid)
        for victim in (postmaster, *children):
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        self.process.wait(GONE_S)
        _wait_gone(children)
        return sessions

    def immediate_stop(self) -> int:
        """Abort all sessions at once, as `pg_ctl stop -m immediate`; how many there were.

        The next start recovers from the log.
        """
        sessions = self.sessions()
        self._end(signal.SIGQUIT)
        return sessions

    def stop(self) -> None:
        """Roll back what is open, write everything down, and end."""
        self._end(signal.SIGINT)

    def complaint(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-2000:].strip() if self.log.exists() else "no log"

    def close(self) -> None:
        """End it, however it is, and remove its directory and its shared memory. Safe to call again."""
        if self.running:
            self._end(signal.SIGQUIT)
        elif self._shared_memory >= 0:
            _free(self._shared_memory)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        """Send a signal to the postmaster and see that everything ends; by force when it does not."""
        if self.process is None or not self.running:
            return
        children = _children(self.process.pid)
        self.process.send_signal(how)
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(GONE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            _free(self._shared_memory)
        else:
            _wait_gone(children)


def alter(server: Server, name: str, value: str) -> None:
    """Change a setting of a running server for good."""
    with server.connect() as connection:
        connection.execute(SQL("alter system set {} = {}").format(Identifier(name), Literal(value)))
        connection.execute("select pg_reload_conf()")


def _children(postmaster: int) -> list[psutil.Process]:
    try:
        return psutil.Process(postmaster).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _wait_gone(children: list[psutil.Process]) -> None:
    if not guardian.become(children, guardian.ENDED, GONE_S):
        raise PostgresBroken(f"processes of PostgreSQL do not end: {[child.pid for child in children]}")


def _title(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _free(segment: int) -> None:
    """Remove the System V segment that marks a data directory as in use: kill -9 leaves it behind.

    That it is gone already, because the server was started again and ended well, is as good.
    """
    remove = 0  # IPC_RMID
    ctypes.CDLL(None, use_errno=True).shmctl(ctypes.c_int(segment), ctypes.c_int(remove), None)
