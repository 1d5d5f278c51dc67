"""One run, read once for every panel that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.history import History
from chaos.words import Words
from reports.bands import Band, bands
from reports.orders import MINUTE_US, OUTCOMES, OrderLife, clicks_us, lives
from reports.timeaxis import TimeAxis

BANDS_AT_MOST = 5


@dataclass
class Storm:
    """What the panels draw. `bands`: longest fault first; `rows`: how many of them have room."""

    orders: list[OrderLife]
    clicks: list[int]
    bands: list[Band]
    end_us: int
    axis: TimeAxis
    rows: int


def read(history: History) -> Storm:
    orders = lives(history)
    found = sorted(bands(history), key=lambda band: (-band.span_us(), -len(band.touches)))
    clicks = clicks_us(history)
    return Storm(
        orders,
        clicks,
        found,
        history.header.end_us,
        _axis(history, orders, clicks),
        min(len(found), BANDS_AT_MOST),
    )


def _axis(history: History, orders: list[OrderLife], clicks: list[int]) -> TimeAxis:
    """The storm fills the sheet: what is still open long after it is told in words, not in empty paper."""
    last_click = max(clicks, default=MINUTE_US)
    last_change = max((t for life in orders for t, _ in life.at_risk()), default=0)
    storm_us = max(history.header.heal_us, last_click)
    until = max(last_click, min(last_change, int(storm_us * 1.5)), min(storm_us, history.header.end_us))
    return TimeAxis.over(int(last_click * 1.08) + 1, int(until * 1.02) + 2)


def align(storms: Sequence[Storm]) -> None:
    """Sheets that stand side by side share the time axis and the room for faults."""
    until_us = max(storm.axis.until_us for storm in storms)
    busy_us = max(storm.axis.busy_us for storm in storms)
    rows = max(storm.rows for storm in storms)
    for storm in storms:
        storm.axis, storm.rows = TimeAxis(until_us, busy_us), rows


def describe(storm: Storm, words: Words) -> str:
    """What the sheet shows, in a sentence, for those who cannot see it."""
    counts = counts_of(storm.orders)
    parts = [words(f"outcome.{name}_n", n=number) for name, number in counts.items() if number]
    faults = [words.fault(band.fault) for band in storm.bands]
    listed = words("figure.comma").join(faults) or words("figure.no_faults")
    return words(
        "figure.sheet_desc", n=len(storm.orders), parts=words("figure.comma").join(parts), faults=listed
    )


def counts_of(orders: Sequence[OrderLife]) -> dict[str, int]:
    counts = dict.fromkeys(OUTCOMES, 0)
    for life in orders:
        counts[life.outcome()] += 1
    return counts
