"""Times counted by value (`chaos.measures.Times`): adding them up, and reading percentiles off them."""

from __future__ import annotations

from math import ceil

from chaos.measures import Times


def add(total: Times, more: Times) -> None:
    """Count `more` into `total`."""
    for us, count in more.items():
        total[us] = total.get(us, 0) + count


def at(share: float, times: Times, never: int, never_us: int) -> int | None:
    """The time within which that share of orders was done; `never` orders were not, and count as `never_us`.

    The nearest rank, so always a time that was seen. None when there are no orders.
    """
    orders = sum(times.values()) + never
    if not orders:
        return None
    rank = max(1, ceil(share * orders - 1e-9))
    for us in sorted(times):
        rank -= times[us]
        if rank <= 0:
            return us
    return never_us


def slower(times: Times, never: int, limit_us: int) -> int:
    """Orders that took longer than `limit_us`, those that were never done included."""
    return never + sum(count for us, count in times.items() if us > limit_us)
