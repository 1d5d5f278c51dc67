"""`python -m tests.chaos.live.soak_postgres [--blows 50] [--seed 1]`: transfers while the server is struck.

Many clients move money between wallets through the platform's adapter, and the server is killed, aborted
or loses its sessions at random moments. Afterwards every transfer must have had the effect that its
outcome promised, the sum must be what it was, and the write-ahead log must tell each transfer once.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.live.database import EmbeddedDatabase
from chaos.live.ports import Ports
from reference_platform.adapters.connections import Limits
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.ports import CommitUnknown, ConnectionLost, PoolExhausted
from reference_platform.tables import POSTINGS, TABLES, WALLETS, PostingRow, WalletRow
from tests.chaos.live.databases import SCHEMA, run

WALLET_COUNT = 12
OPENING_FEN = 1_000
CLIENTS = 2
TASKS = 4  # of each client
BLOWS = ("kill", "immediate_stop", "drop_sessions")


@dataclass
class Soak:
    """What the clients know of their transfers, and when the server was struck. Times are real seconds."""

    outcomes: dict[str, str] = field(default_factory=dict)
    unknown_spans: list[tuple[float, float]] = field(default_factory=list)
    blows: list[tuple[float, float]] = field(default_factory=list)
    stop: bool = False

    async def transfer(self, database: PostgresDatabase, name: str, draw: random.Random) -> None:
        """Move some money; what came of it is noted, and what is known of it."""
        first, second = sorted(draw.sample(range(WALLET_COUNT), 2))
        amount_fen = draw.randrange(-50, 50)
        lines = ((f"u{first}", -amount_fen), (f"u{second}", amount_fen))
        tx = database.transaction()
        committing_s = 0.0
        try:
            for user, change_fen in lines:
                await tx.update(WALLETS, user, more(change_fen))
            row = PostingRow(posting_id=name, posting="transfer", order_id="", lines=lines, at_us=0)
            await tx.insert(POSTINGS, row)
            committing_s = time.monotonic()
            await tx.commit()
            self.outcomes[name] = "acknowledged"
        except CommitUnknown:
            self.outcomes[name] = "unknown"
            self.unknown_spans.append((committing_s, time.monotonic()))
        except (ConnectionLost, PoolExhausted) as error:
            self.outcomes[name] = f"failed: {type(error).__name__}"
            await asyncio.sleep(0.01)  # as anybody would who is refused at once
        finally:
            await tx.rollback()

    async def client(self, database: PostgresDatabase, name: str, seed: int) -> None:
        draw = random.Random(f"{seed} {name}")
        number = 0
        while not self.stop:
            number += 1
            await self.transfer(database, f"{name}.{number}", draw)

    async def strike(self, database: EmbeddedDatabase, how: str) -> None:
        """One blow; the server is up again when it returns."""
        began_s = time.monotonic()
        if how == "drop_sessions":
            await asyncio.to_thread(database.drop_sessions)
        else:
            await asyncio.to_thread(getattr(database.primary, how))
            await asyncio.to_thread(database.primary.start)
        self.blows.append((began_s, time.monotonic()))


def more(amount_fen: int) -> Callable[[WalletRow], Mapping[str, Any]]:
    """Add to a balance."""
    return lambda row: {"balance_fen": row["balance_fen"] + amount_fen}


async def soak(database: EmbeddedDatabase, blows: int, seed: int) -> Soak:
    """Strike so many times at random moments, and let the clients come to an end."""
    result = Soak()
    draw = random.Random(seed)
    limits = Limits(pool_size=TASKS - 1, pool_us=5_000_000)
    clients = [
        PostgresDatabase(
            database.url, schema=SCHEMA, name=f"platform-{n}", origin=f"platform-{n}", limits=limits
        )
        for n in range(CLIENTS)
    ]
    tasks = [
        asyncio.create_task(result.client(client, f"{number}.{task}", seed))
        for number, client in enumerate(clients)
        for task in range(TASKS)
    ]
    try:
        for _ in range(blows):
            await asyncio.sleep(draw.uniform(0.02, 0.25))
            await result.strike(database, draw.choice(BLOWS))
        await asyncio.sleep(0.2)
    finally:
        result.stop = True
        await asyncio.gather(*tasks)
        for client in clients:
            client.close()
    return result


def judge(result: Soak, database: EmbeddedDatabase, told: Counter[str]) -> list[str]:
    """What is wrong, in words; nothing when all is well."""
    with database.connect() as connection:
        connection.execute(f"set search_path to {SCHEMA}")
        there = {name for (name,) in connection.execute("select posting_id from postings").fetchall()}
        balances = dict(connection.execute('select "user", balance_fen from wallets').fetchall())
        lines = [line for (lines,) in connection.execute("select lines from postings") for line in lines]
    wrong: list[str] = []
    for name, outcome in result.outcomes.items():
        if outcome == "acknowledged" and name not in there:
            wrong.append(f"{name} was acknowledged and is lost")
        if outcome.startswith("failed") and name in there:
            wrong.append(f"{name} was said to have failed and took effect")
    if sum(balances.values()) != WALLET_COUNT * OPENING_FEN:
        wrong.append(f"money appeared or vanished: {sum(balances.values())} fen")
    moved = Counter(dict.fromkeys(balances, OPENING_FEN))
    for user, amount_fen in lines:
        moved[user] += amount_fen
    wrong += [
        f"{user} has {balances[user]} fen, not {moved[user]}"
        for user in balances
        if balances[user] != moved[user]
    ]
    wrong += [f"the log tells {name} {times} times" for name, times in told.items() if times != 1]
    if set(told) != there:
        wrong.append(f"the log and the tables differ: {sorted(set(told) ^ there)}")
    for began_s, ended_s in result.unknown_spans:
        if not any(
            blow_began_s <= ended_s and began_s <= blow_ended_s for blow_began_s, blow_ended_s in result.blows
        ):
            wrong.append("a commit was unknown although nothing had happened to the server")
    return wrong


def play(blows: int, seed: int) -> tuple[Soak, list[str]]:
    """A whole soak on a server of its own."""
    with Ports() as ports:
        database = EmbeddedDatabase(ports, SCHEMA)
        try:
            database.start()
            database.create(TABLES)
            rows = [
                WalletRow(user=f"u{n}", balance_fen=OPENING_FEN, provisional_fen=0)
                for n in range(WALLET_COUNT)
            ]
            database.load(WALLETS, rows)
            log = database.follow(TABLES)
            result = run(soak(database, blows, seed), within_s=120)
            told = Counter(
                str(change.key)
                for transaction in log.drain()
                for change in transaction.changes
                if change.table is POSTINGS
            )
            log.disconnect()
            return result, judge(result, database, told)
        finally:
            database.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blows", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began_s = time.monotonic()
    result, wrong = play(given.blows, given.seed)
    for outcome, count in Counter(result.outcomes.values()).most_common():
        sys.stdout.write(f"{count:8,} {outcome}\n")
    down_s = sum(ended_s - began for began, ended_s in result.blows)
    sys.stdout.write(
        f"{len(result.blows)} blows, {down_s / len(result.blows):.3f} s each until it was up again\n"
    )
    sys.stdout.write(
        "\n".join(wrong or ["nothing lost, nothing doubled"]) + f"\n{time.monotonic() - began_s:.1f} s\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
