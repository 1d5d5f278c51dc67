"""`python -m benchmarks.live_soak [--kills 200] [--seed 1]`: kill -9 under load, on real parts, until it is enough.

Each run is one storm of `live_soak.yaml` on `resilient`, judged by all checkers. Beside them stands an audit
that shares no code with them: it reads the journals that users and counterparties wrote, line by line, and
asks the database itself, before it is thrown away, whether everything that was promised is there.

Exit codes: 0 nothing lost · 1 something was · 3 a run came to no verdict · 4 a run broke.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chaos.campaign import Order, conduct
from chaos.court import RunResult
from chaos.history import Fault
from chaos.live.options import Options
from chaos.live.run import run
from chaos.live.world import LiveWorld
from chaos.results import LIVE, free_directory
from scenarios import loading
from scenarios.model import Scenario

SCENARIO: Final = Path(__file__).with_suffix(".yaml")
DESIGN: Final = "resilient"
SHOWN: Final = 20
"""Losses that are named; the others are counted."""


Rows = list[tuple[Any, ...]]
Lines = list[dict[str, Any]]


@dataclass
class Audit:
    """What was promised, counted, and what of it is not there, in words.

    `lines` are those of all journals, decoded; `ask` puts a query to the platform's own database.
    """

    lines: Lines
    ask: Callable[[str], Rows]
    counts: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    def run(self) -> None:
        self._orders()
        self._callbacks()
        self._money()

    def _booked(self, party: str, entry: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for line in self.lines:
            if line["kind"] == "book" and (line["party"], line["entry"]) == (party, entry):
                self.counts[f"{party} {entry}"] += 1
                yield line["ref"], line["data"]

    def _column(self, query: str) -> set[Any]:
        return {value for (value,) in self.ask(query)}

    def _orders(self) -> None:
        """Every order whose user was told that it is placed."""
        there = self._column("select order_id from orders")
        self.counts["orders in the database"] += len(there)
        for line in self.lines:
            if line["kind"] == "ok" and line["action"] == "place_order":
                self.counts["orders acknowledged"] += 1
                if line["result"]["order_id"] not in there:
                    self.lost.append(f"{line['result']['order_id']} was acknowledged and is not there")

    def _callbacks(self) -> None:
        """Every callback that was answered with 2xx."""
        inbox = self._column("select notice_key from inbox")
        for _, data in self._booked("CH", "callback_acked"):
            if 200 <= data["status"] < 300:
                self.counts["CH callback_acked with 2xx"] += 1
                if f"{data['channel']}:{data['notify_id']}" not in inbox:
                    self.lost.append(f"callback {data['notify_id']} was acknowledged and forgotten")
        settled = self._column("select attempt_no from attempts where status in ('success', 'fail')")
        for attempt_no, data in self._booked("SUP", "callback_acked"):
            if data["accepted"]:
                self.counts["SUP callback_acked accepted"] += 1
                if attempt_no not in settled:
                    self.lost.append(f"callback of attempt {attempt_no} was acknowledged and forgotten")

    def _money(self) -> None:
        """What each channel holds is in the ledger, fen for fen, and all of it is earned or returned."""
        charges = self._column("select charge_no from charges join orders using (order_id)")
        holds: Counter[str] = Counter()
        for charge_no, data in self._booked("CH", "captured"):
            holds[data["channel"]] += data["paid_fen"]
            if charge_no not in charges:
                self.lost.append(f"{data['paid_fen']} fen of charge {charge_no} belong to no order")
        for _, data in self._booked("CH", "refund_done"):
            holds[data["channel"]] -= data["amount_fen"]
        ledger: Counter[str] = Counter()
        owed: Counter[str] = Counter()
        for order_id, posting in self.ask("select order_id, lines from postings"):
            for account, amount_fen in posting:
                ledger[account] += amount_fen
                owed[order_id] -= amount_fen if account == "suspense" else 0
        for channel, fen in holds.items():
            self.counts[f"fen held at {channel}"] += fen
            if ledger[f"channel:{channel}"] != fen:
                told = ledger[f"channel:{channel}"]
                self.lost.append(f"{channel} holds {fen} fen, the ledger says {told}")
        self.lost += [
            f"{fen} fen of {order} are neither earned nor returned" for order, fen in owed.items() if fen
        ]
        if sum(ledger.values()):
            self.lost.append(f"the ledger is out of balance by {sum(ledger.values())} fen")


@dataclass
class Soak:
    """What a campaign calls for each seed: one storm, and the audit at its end."""

    options: Options
    kept: Path
    kills: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    __qualname__ = "live"

    @property
    def limit_s(self) -> float:
        """Real seconds after which a run hangs."""
        return self.options.budget_s + 120.0

    def __call__(self, scenario: Scenario, design: str, seed: int) -> RunResult:
        began_s = time.monotonic()
        result = run(
            scenario,
            design,
            seed,
            self.options,
            say,
            self.kept / f"{scenario.name}-{design}-{seed}",
            self.look,
        )
        hits = list(evidence(result))
        for hit in hits:
            self.kills[hit["where"]] += 1
            self.cut[hit["where"]] += hit.get("connections", hit.get("sessions", 0))
        say(
            f"seed {seed}: {len(hits)} kills, {result.orders} orders, violated: {result.violated or 'nothing'}, "
            f"{time.monotonic() - began_s:.0f} s"
        )
        return result

    def look(self, world: LiveWorld) -> None:
        """Audit a world that has come to rest."""
        lines = [
            json.loads(line)
            for path in world.layout.journals()
            for line in path.read_bytes().splitlines()
            if line.endswith(b"}")
        ]
        with world.store.database.connect() as connection:
            connection.execute("select set_config('search_path', %s, false)", [world.store.database.schema])
            audit = Audit(lines, lambda query: connection.execute(query.encode()).fetchall())
            audit.run()
        self.counts.update(audit.counts)
        self.lost += [f"seed {world.opening.streams.seed}: {one}" for one in dict.fromkeys(audit.lost)]


def evidence(result: RunResult) -> Iterator[dict[str, Any]]:
    """Every kill that hit a living process: where, its pid, and what it cut off."""
    for event in result.history.events:
        if isinstance(event, Fault) and event.phase == "end" and "pid" in event.data:
            yield {**event.data, "where": event.data.get("node", "database")}


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)  # noqa: T201 - this is what it is for


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="go on until so many processes were hit")
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--out", type=Path, default=None, help="results directory, one for each run below it")
    parser.add_argument("--design", default=DESIGN)
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    parser.add_argument("--budget", type=float, default=900.0, help="real seconds for a run")
    given = parser.parse_args()
    out = given.out or free_directory(Path("out"))
    scenario = loading.load(str(given.scenario)).model_copy(update={"swarm": False})
    soak = Soak(Options(budget_s=given.budget), out)
    codes: list[int] = []
    began_s = time.monotonic()
    seed = given.seed
    while soak.kills.total() < given.kills and not any(codes):
        soak.kept = out / f"seed-{seed}" / "live"
        order = Order(
            [scenario], [given.design], [seed], soak, out / f"seed-{seed}",
            command=shlex.join(["python", "-m", "benchmarks.live_soak", *sys.argv[1:]]), world=LIVE,
        )  # fmt: skip
        campaign = conduct(order)
        codes.append(campaign.exit_code or 0)
        seed += 1
    say(f"{len(codes)} runs, {time.monotonic() - began_s:.0f} s, results in {out}")
    for where, kills in sorted(soak.kills.items()):
        say(f"{kills:>6} kills of {where}, {soak.cut[where]} connections cut")
    for what, number in sorted(soak.counts.items()):
        say(f"{number:>10,} {what}")
    for one in soak.lost[:SHOWN] or ["nothing is lost"]:
        say(one)
    if len(soak.lost) > SHOWN:
        say(f"and {len(soak.lost) - SHOWN} more")
    return max(codes, default=0) or (1 if soak.lost else 0)


if __name__ == "__main__":
    sys.exit(main())
