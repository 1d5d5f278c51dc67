"""What a run took, in time and money: the numbers that a gate sets limits to.

Read from the judge's books when the run is over, so they cost nothing while it goes on. Times are kept as
counts by value, rounded up to three digits: those of many runs add up without holding every order.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from chaos.account import NEVER, Account
from chaos.books import Books

Times: TypeAlias = dict[int, int]
"""µs, rounded up to three digits → number of orders."""


class Measures(msgspec.Struct, frozen=True):
    """One run. `click_to_card`: from the first click to the last ordered unit, of paid orders delivered in full.
    `time_to_settle`: from the first capture to the last delivery, refund or credit, of paid orders.

    `open_orders` were paid for and have neither goods nor money back for all of it: they are in no time above
    that they never reached. Money is at risk from an order's first capture until it is settled.
    """

    paid_orders: int = 0
    open_orders: int = 0
    undelivered: int = 0
    click_to_card: Times = {}
    time_to_settle: Times = {}
    captured_fen: int = 0
    at_risk_peak_fen: int = 0
    at_risk_end_fen: int = 0
    compensation_fen: int = 0


def measure(books: Books) -> Measures:
    """The measures of a run whose books are complete."""
    paid = unsettled = undelivered = captured_fen = open_fen = compensation_fen = 0
    cards: Times = {}
    settled: Times = {}
    moves: list[tuple[int, int]] = []
    for account in books.accounts.values():
        compensation_fen += account.cost_fen
        if not account.captures:
            continue
        delivered_us = _delivered_us(account)
        if NEVER not in (delivered_us, account.clicked_us):
            _count(cards, delivered_us - account.clicked_us)
        paid += 1
        captured_fen += account.captured_fen
        began_us = min(charge.captured_us for charge in account.charges if charge.captured_us != NEVER)
        moves.append((began_us, account.captured_fen))
        gap_fen = _gap_fen(account)
        if gap_fen > 0:
            unsettled += 1
            undelivered += delivered_us == NEVER
            open_fen += gap_fen
            moves.append((max(began_us, account.moved_us), gap_fen - account.captured_fen))
        else:
            ended_us = max(began_us, account.moved_us)
            _count(settled, ended_us - began_us)
            moves.append((ended_us, -account.captured_fen))
    return Measures(
        paid, unsettled, undelivered, cards, settled, captured_fen, _peak(moves), open_fen, compensation_fen
    )


def rounded_up(us: int) -> int:
    """Three digits of `us`, never less than it: what is counted as 1.23 s took at most that."""
    if us < 1000:
        return max(us, 0)
    scale = int(10 ** (len(str(us)) - 3))
    return -(-us // scale) * scale


def _count(times: Times, us: int) -> None:
    value = rounded_up(us)
    times[value] = times.get(value, 0) + 1


def _delivered_us(account: Account) -> int:
    """Since when the buyer has had all that was ordered."""
    row = account.row
    if row is None or not account.deliveries:
        return NEVER
    quantity, units, since_us = row["quantity"], 0, NEVER
    for delivery in account.deliveries:
        units += delivery.units
        if units < quantity:
            since_us = NEVER
        elif since_us == NEVER:
            since_us = delivery.t_us
    return since_us


def _gap_fen(account: Account) -> int:
    """Captured, and neither delivered nor given back: the equation of I-01."""
    returned_fen = account.refunded_fen + account.wallet_fen
    return account.captured_fen - account.price_fen(account.units) - returned_fen


def _peak(moves: list[tuple[int, int]]) -> int:
    """The most that was at risk at one moment; what ends at a moment goes before what begins."""
    now = peak = 0
    for _, fen in sorted(moves):
        now += fen
        peak = max(peak, now)
    return peak
