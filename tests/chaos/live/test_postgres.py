"""The embedded server: what survives being killed, what is left afterwards, and the replica."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import psycopg
import pytest

from chaos.live import guardian
from chaos.live.database import DatabaseUnfit, EmbeddedDatabase, GivenDatabase
from chaos.live.initdb import Installation, PostgresBroken, private
from chaos.live.ports import Ports
from chaos.live.postgres import Server
from reference_platform.tables import MEMBERSHIPS, TABLES, MembershipRow
from tests.chaos.live.databases import SCHEMA, new_server


def until(fact: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < deadline_s, f"never: {what}"
        time.sleep(0.01)


def ask(server: Server, query: str) -> Any:
    with server.connect() as connection:
        return connection.execute(query).fetchall()


def processes_in(folder: Path) -> list[psutil.Process]:
    return guardian.members("no token", [folder], 0)


def segments() -> list[int]:
    """Shared memory of System V on this machine."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return [int(line.split()[1]) for line in lines]


@pytest.mark.parametrize("end", ["kill", "immediate_stop", "stop"])
def test_what_was_committed_survives_every_end(end: str) -> None:
    """Killed, aborted or stopped in order: the committed is there after the next start, the rest is not."""
    with new_server() as server:
        with server.connect() as connection:
            connection.execute("create table numbers (n int)")
            connection.execute("insert into numbers values (1)")
        open_one = server.connect()
        open_one.execute("begin")
        open_one.execute("insert into numbers values (2)")
        assert getattr(server, end)() in {1, None}, "one session was cut off"
        assert not server.running
        assert processes_in(server.folder) == []
        with pytest.raises(psycopg.OperationalError):
            open_one.execute("commit")
        open_one.close()
        with pytest.raises(psycopg.OperationalError):
            server.connect()
        server.start()
        assert ask(server, "select n from numbers") == [(1,)]


@pytest.mark.parametrize("end", ["kill", "immediate_stop", "nothing"])
def test_nothing_is_left(end: str) -> None:
    """However it ended: no process, no directory, no port, no shared memory of System V."""
    with new_server() as server:
        folder, port = server.folder, server.port
        memory = int((server.data / "postmaster.pid").read_text().splitlines()[6].split()[1])
        assert memory in segments()
        assert oct(folder.stat().st_mode)[-3:] == "700"
        assert processes_in(folder)
        if end != "nothing":
            getattr(server, end)()
    assert not folder.exists()
    assert processes_in(folder) == []
    assert memory not in segments()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")
    server.close()  # again does no harm


def test_nobody_gets_in_without_the_password() -> None:
    """The superuser of an open server could run programs as whoever started it."""
    with new_server() as server:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://postgres:guess@127.0.0.1:{server.port}/postgres")
        assert ask(server, "show listen_addresses") == [("127.0.0.1",)]
        assert ask(server, "show unix_socket_directories") == [("",)]


def test_a_server_that_cannot_start_says_why() -> None:
    """The message ends with the server's own complaint, and nothing is left."""
    with Ports() as ports:
        server = Server(Installation.find(), ports.free(), settings={"shared_buffers": "no number"})
        try:
            server.create()
            with pytest.raises(PostgresBroken, match='invalid value for parameter "shared_buffers"'):
                server.start()
        finally:
            server.close()
        assert not server.folder.exists()


def test_two_servers_start_from_the_same_copy() -> None:
    """The data directory is made once and copied; two servers share nothing else."""
    with new_server() as one, new_server() as two:
        with one.connect() as connection:
            connection.execute("create table mine (n int)")
        assert ask(two, "select to_regclass('mine')") == [(None,)]
        assert ask(one, "select to_regclass('mine')::text") == [("mine",)]


def test_a_place_for_copies_that_somebody_is_just_making_is_no_strangers(tmp_path: Path) -> None:
    """Two runs that are the first on a machine: one has made the directory and not yet given it away."""
    if os.geteuid() != 0:
        pytest.skip("only root gives it to another account")
    nobody = Installation.find().owner
    place = tmp_path / "copies"
    place.mkdir(mode=0o700)  # ours, as between the two steps of the other run
    assert private(place, nobody) == place
    assert (place.stat().st_uid, place.stat().st_mode & 0o777) == (nobody[0], 0o700)
    stranger = tmp_path / "strangers"
    stranger.mkdir(mode=0o700)
    os.chown(stranger, nobody[0] - 1, -1)
    with pytest.raises(PostgresBroken, match="is not ours"):
        private(stranger, nobody)


def test_programs_that_the_account_cannot_reach_are_copied() -> None:
    """Under root PostgreSQL runs as nobody, who cannot enter /root; nobody's rights there stay as they are."""
    if os.geteuid() != 0:
        pytest.skip("only root needs another account")
    found = Installation.find()
    with tempfile.TemporaryDirectory(prefix="dingfeng-test-") as place:
        hidden, copies = Path(place, "hidden"), Path(place, "copies")
        (hidden / "pg" / "bin").mkdir(parents=True)
        (hidden / "pg" / "bin" / "postgres").symlink_to(found.programs / "postgres")
        copies.mkdir()
        for folder, mode in ((Path(place), 0o755), (copies, 0o755), (hidden, 0o700)):
            folder.chmod(mode)
        away = Installation(hidden / "pg" / "bin", found.account, found.owner, copies)
        assert not away._reachable()
        copied = away._moved(hidden / "pg")
        assert copied._reachable()
        assert copied.programs.is_relative_to(copies)
        assert hidden.stat().st_mode & 0o777 == 0o700
        made = sorted(copies.iterdir())
        assert away._moved(hidden / "pg").programs == copied.programs
        assert sorted(copies.iterdir()) == made, "once is enough"


# ---------------------------------------------------------------- the database of a run


@pytest.fixture
def ports() -> Iterator[Ports]:
    with Ports() as new:
        yield new


def members(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        query = f'select "user" from {SCHEMA}.memberships order by 1'
        return [user for (user,) in connection.execute(query).fetchall()]


def test_a_replica_follows_stands_still_and_catches_up(ports: Ports) -> None:
    """Held or lagging it shows what was; released it shows what is, over crashes of the primary too."""
    database = EmbeddedDatabase(ports, SCHEMA, replica=True, sync=True)
    try:
        database.start()
        database.create(TABLES)
        replica = database.replica_url or ""
        until(lambda: database.behind() == 0, "the replica has the tables")
        database.load(MEMBERSHIPS, [MembershipRow(user="a", until_us=0)])
        until(lambda: members(replica) == ["a"], "the replica follows")

        database.hold_replica()
        database.load(MEMBERSHIPS, [MembershipRow(user="b", until_us=0)])
        assert members(replica) == ["a"]
        assert database.unwell() == ["the replica is held"]
        database.release_replica()
        until(lambda: members(replica) == ["a", "b"], "the replica goes on")

        database.lag(3_600_000_000)
        database.load(MEMBERSHIPS, [MembershipRow(user="c", until_us=0)])
        until(lambda: bool(database.behind()), "the primary is ahead")
        assert members(replica) == ["a", "b"]
        assert "bytes behind" in database.unwell()[0]
        database.lag(0)
        until(lambda: members(replica) == ["a", "b", "c"], "an hour's lag ends at once")

        database.crash()
        assert database.unwell() == ["the database is down"]
        assert database.behind() is None, "nobody can tell"
        database.revive()
        until(lambda: database.unwell() == [], "the database is well again")
        database.load(MEMBERSHIPS, [MembershipRow(user="d", until_us=0)])
        until(lambda: members(replica) == ["a", "b", "c", "d"], "the replica follows again")
    finally:
        folders = [server.folder for server in database.servers]
        database.close()
    assert not any(folder.exists() for folder in folders)


def test_sessions_end_by_name() -> None:
    """Only the platform's sessions are ended, all of them or those of one node."""
    with new_server() as server:
        database = GivenDatabase(server.url, SCHEMA)
        names = [f"{SCHEMA}.platform-1", f"{SCHEMA}.platform-2", "somebody else"]
        clients = [psycopg.connect(server.url, application_name=name, autocommit=True) for name in names]
        assert database.drop_sessions("platform-1") == 1
        assert database.drop_sessions() == 1
        assert database.drop_sessions() == 0
        clients[2].execute("select 1")
        for client in clients[:2]:
            with pytest.raises(psycopg.OperationalError):
                client.execute("select 1")
        for client in clients:
            client.close()


def test_a_given_server_is_left_as_it_was_found() -> None:
    """Our schema, slot and publication are gone at the end; a run that dies leaves no slot either."""
    with new_server() as server:
        database = GivenDatabase(server.url, SCHEMA)
        database.start()
        database.create(TABLES)
        log = database.follow(TABLES)
        database.load(MEMBERSHIPS, [MembershipRow(user="a", until_us=0)])
        assert [change.key for told in log.poll() for change in told.changes] == ["a"]
        assert ask(server, "select temporary from pg_replication_slots") == [(True,)]
        second = GivenDatabase(server.url, SCHEMA)
        with pytest.raises(DatabaseUnfit, match=f"there is a schema {SCHEMA} already"):
            second.start()
        second.close()
        assert members(server.url) == ["a"], "what one did not make one does not remove"
        log.close()
        database.close()
        left = "select (select count(*) from pg_replication_slots), (select count(*) from pg_publication),"
        assert ask(server, f"{left} (select count(*) from pg_namespace where nspname = '{SCHEMA}')") == [
            (0, 0, 0)
        ]


def test_a_server_whose_machine_has_gone_is_noticed() -> None:
    """Who reads its log waits for answers; the kernel is told how long to wait for the other machine's."""
    with (
        new_server() as server,
        closing(GivenDatabase(server.url, SCHEMA).connect()) as connection,
        socket.socket(fileno=os.dup(connection.fileno())) as line,
    ):
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10


def test_the_clock_of_a_given_server_is_compared_with_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stamps the commits, and a second of difference may be hours of a run; on one machine there is none."""
    with new_server() as server:
        database = GivenDatabase(server.url, SCHEMA)
        database.start()
        assert database.ahead_us == 0
        an_hour_behind = SimpleNamespace(time_ns=lambda: time.time_ns() - 3600_000_000_000)
        monkeypatch.setattr("chaos.live.database.time", an_hour_behind)
        database.start()
        assert abs(database.ahead_us - 3600_000_000) < 60_000_000


@pytest.mark.parametrize(
    ("settings", "preparation", "url", "complaint"),
    [
        ({"wal_level": "replica"}, "select 1", "{url}", "wal_level is replica; set wal_level = logical"),
        ({}, "create role weak login password 'x'", "postgresql://weak:x@{place}", "the role weak may not repl"),
        ({"max_replication_slots": 0}, "select 1", "{url}", "no replication slot is free"),
        ({}, "create database old encoding sql_ascii template template0", "{url_of_old}", "encoded in SQL_ASCII"),
        ({}, "select 1", "postgresql://postgres:wrong@{place}", "password authentication failed"),
        ({}, "select 1", "postgresql://postgres@{place}?nonsense=1", 'invalid .*"nonsense"'),
    ],
)  # fmt: skip
def test_an_unfit_server_is_refused_and_says_what_it_wants(
    settings: dict[str, Any], preparation: str, url: str, complaint: str
) -> None:
    """Before anything is made in it, by a message that tells what to do."""
    with new_server(**settings) as server:
        with server.connect() as connection:
            connection.execute(preparation)
        place = f"127.0.0.1:{server.port}/postgres"
        given = url.format(
            url=server.url, place=place, url_of_old=server.url.removesuffix("postgres") + "old"
        )
        with pytest.raises(DatabaseUnfit, match=complaint):
            GivenDatabase(given, SCHEMA).start()


def test_no_server_answers_there() -> None:
    """A wrong address is the user's mistake, and is called so."""
    with Ports() as ports:
        database = GivenDatabase(f"postgresql://postgres@127.0.0.1:{ports.free()}/x", SCHEMA)
        with pytest.raises(DatabaseUnfit, match=r"--database-url: .*refused"):
            database.start()
        database.close()


def test_the_guardian_finds_every_process_of_a_server() -> None:
    """They work in the server's folder: that is how a run's guardian knows them."""
    with new_server() as server:
        assert server.process is not None
        postmaster = psutil.Process(server.process.pid)

        def all_are_found() -> bool:  # workers come and go while we look
            found = {process.pid for process in processes_in(server.folder)}
            return len(found) > 1 and found == {
                postmaster.pid,
                *(child.pid for child in postmaster.children()),
            }

        until(all_are_found, "every process is found")
