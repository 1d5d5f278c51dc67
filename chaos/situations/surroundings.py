"""Situations of traffic, stock and machines."""

from __future__ import annotations

from statistics import median

from chaos.history import Book, Fault, Header, Invoke, State
from chaos.situations.seen import Handler, Seen

BUCKET_US = 10_000_000
PEAK_FACTOR = 5
PEAK_ORDERS = 10
"""A peak is a stretch of 10 s with at least ten orders and five times the usual number."""

_CUTS = ("link.partition", "link.down", "link.timeout")


class Surroundings:
    """Follows arrivals, the stock and the faults of machines and links."""

    names = (
        "capture_during_partition",
        "failover_happened",
        "stock_ran_out",
        "order_expired",
        "retry_with_same_key",
        "peak_reached",
    )

    def __init__(self, seen: Seen, header: Header) -> None:
        self._seen = seen
        self._cut: dict[str, bool] = {}
        self._keys: dict[tuple[str, str], bool] = {}
        self._arrivals: dict[int, int] = {}
        self._taken: dict[str, bool] = {}
        products = header.facts.get("products", {})
        self._free = {sku: int(facts["loaded"]) for sku, facts in products.items() if facts.get("loaded")}

    def hears(self) -> dict[str, Handler]:
        """Event key → method."""
        cuts = {f"fault.{name}": self.cut for name in _CUTS}
        return cuts | {
            "CH.captured": self.captured,
            "fault.database.failover": self.failover,
            "state.cards": self.card,
            "state.orders": self.order,
            "invoke.place_order": self.placed,
        }

    def cut(self, event: Fault) -> None:
        """A link is cut, or whole again."""
        if event.phase == "start":
            self._cut[event.site] = True
        else:
            self._cut.pop(event.site, None)

    def captured(self, event: Book) -> None:
        """Money moved while a link was cut."""
        if self._cut:
            self._seen.meet("capture_during_partition", event.t_us)

    def failover(self, event: Fault) -> None:
        """The database changed its primary."""
        self._seen.meet("failover_happened", event.t_us)

    def card(self, event: State) -> None:
        """How many cards of a kind are left."""
        row = event.row
        if row is None or row["sku"] not in self._free:
            return
        taken = row["status"] != "available"
        if taken == (event.key in self._taken):
            return
        if taken:
            self._taken[event.key] = True
            self._free[row["sku"]] -= 1
            if self._free[row["sku"]] == 0:
                self._seen.meet("stock_ran_out", event.t_us)
        else:
            del self._taken[event.key]
            self._free[row["sku"]] += 1

    def order(self, event: State) -> None:
        """An order that nobody paid in time."""
        if event.row is not None and event.row["status"] == "closed":
            self._seen.meet("order_expired", event.t_us)

    def placed(self, event: Invoke) -> None:
        """Arrivals, and users who send the same order again."""
        key = (event.user, event.args["client_key"])
        if key in self._keys:
            self._seen.meet("retry_with_same_key", event.t_us)
        else:
            self._keys[key] = True
        bucket = event.t_us // BUCKET_US
        self._arrivals[bucket] = self._arrivals.get(bucket, 0) + 1

    def at_end(self) -> tuple[str, ...]:
        """Was there a peak? Only the whole run tells what was usual."""
        if not self._arrivals:
            return ()
        most = max(self._arrivals.values())
        quiet_too = range(min(self._arrivals), max(self._arrivals) + 1)
        usual = median(self._arrivals.get(bucket, 0) for bucket in quiet_too)
        return ("peak_reached",) if most >= max(PEAK_ORDERS, PEAK_FACTOR * usual) else ()
