"""What each process of a live run is told: one JSON file, named on its command line.

Whoever sets a run up writes these files; the hosts read them and nothing else. Addresses are URLs
without a path, of proxies where there are any; paths are absolute.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from scenarios.model import Scenario

S = TypeVar("S")


class Process(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every process is told. `name` is also that of its slot in the shared clock; it listens on `port`."""

    name: str
    clock: Path
    port: int

    def save(self, path: Path) -> Path:
        """Write it; the path again."""
        path.write_bytes(msgspec.json.encode(self, enc_hook=_to_text))
        return path


class Storm(Process, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A process that takes part in the scenario. `plan` is that of a replayed run, `gate` where it waits before it lives.

    In `openings` it reads which rules that wait for an event have had it.
    """

    scenario: dict[str, Any]
    design: str
    seed: int
    plan: dict[str, dict[str, Any]] | None = None
    gate: Path | None = None
    openings: Path

    def model(self) -> Scenario:
        """The scenario."""
        return Scenario.model_validate(self.scenario)


class CounterpartySettings(Storm, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel, a supplier, or the users to whom notices go. `edge` and `key` are for those that call back.

    `doors` are more ports to listen on, each for the one caller whose name it has.
    """

    journal: Path
    inputs: Path
    ops_from: int
    edge: str = ""
    key: str = ""
    doors: dict[str, int] = {}


class PlatformSettings(Storm, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One node. `links` are the addresses of counterparties and `users` by name, `keys` what opens their seals.

    `database` and `replica` are libpq connection strings, the latter empty when there is none; `schema` has
    the tables. `ids` is
    a folder that all nodes share, `machine_clock` the file of this node's own clock. `token_key` is what
    members' tokens are signed with, `log` where refusals are written.
    """

    links: dict[str, str]
    keys: dict[str, str]
    database: str
    replica: str = ""
    schema: str = "dingfeng"
    ids: Path
    machine_clock: Path
    token_key: str
    log: Path


class Upstream(msgspec.Struct, frozen=True):
    """A node behind the balancer. `probe` is `host:port` of the node itself: nobody listens, nobody is there."""

    name: str
    url: str
    probe: str


class EdgeSettings(Storm, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The balancer. In its `journal` it says which single messages to the nodes it has struck."""

    journal: Path
    nodes: list[Upstream]


def read(argv: Sequence[str], kind: type[S]) -> S:
    """The settings named on a command line. Raises SystemExit 2 naming the file and what is wrong with it."""
    if len(argv) != 2:
        raise _unusable(f"usage: {argv[0]} SETTINGS.json")
    path = Path(argv[1])
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind, dec_hook=_to_path)
    except OSError as error:
        raise _unusable(f"{path}: {error.strerror}") from error
    except ValueError as error:  # a msgspec error is one, and so are bytes that are no text
        raise _unusable(f"{path}: {error}") from error


def _unusable(why: str) -> SystemExit:
    """Wrong input, with status 2 as everywhere."""
    sys.stderr.write(f"{why}\n")
    return SystemExit(2)


def _to_text(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"settings hold no {type(value).__name__}")


def _to_path(kind: type[Any], value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise TypeError(f"settings hold no {kind.__name__}")
