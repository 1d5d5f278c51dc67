"""When the platform could not act at all, so that its deadlines stood still.

Only faults that stop the platform itself count: a dead or frozen node, the database, its own calls
to a counterparty. A supplier that is dead or silent stops only what hangs on its word. Lost or late callbacks never count. Surviving those is what the promise is about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from chaos.history import Fault
from chaos.oracle.law import SECOND

TOUCH_US: Final = 60 * SECOND
"""A fault that struck one message blocks for this long: the platform has to notice and back off."""

_STOPS: Final = frozenset(("node.crash", "node.pause", "node.slow", "channel.down", "channel.result_unknown"))
_SILENT_SUPPLIERS: Final = frozenset(("supplier.down", "supplier.result_unknown"))
_BYSTANDERS: Final = ("users", "edge")


class Blocked:
    """The spans in which the platform was kept from acting, and from asking its suppliers."""

    def __init__(self, suppliers: Collection[str] = ()) -> None:
        self._suppliers = suppliers
        self._open: dict[str, tuple[int, bool]] = {}
        self._spans: list[tuple[int, int, bool]] = []
        self.skew_us = 0
        """The furthest that any node's clock was off; the edges of a promise blur by it."""

    def feed(self, event: Fault) -> None:
        """Take note of one fault event."""
        if event.fault == "node.clock_skew" and event.phase == "start":
            self.skew_us = max(self.skew_us, abs(int(event.data.get("offset_us", 0))))
            return
        if event.phase == "end":
            started = self._open.pop(event.site, None)
            if started is not None:
                self._add(started[0], event.t_us, started[1])
            return
        only_suppliers = event.fault in _SILENT_SUPPLIERS or (
            event.fault.startswith("node.") and event.data.get("where") in self._suppliers
        )
        if not only_suppliers and not _stops_the_platform(event.fault, event.data):
            return
        if event.phase == "start":
            self._open.setdefault(event.site, (event.t_us, only_suppliers))
        else:
            self._add(event.t_us, event.t_us + TOUCH_US, only_suppliers)

    def close(self, heal_us: int) -> None:
        """Faults that were never seen to end ended at the healing."""
        for start_us, only_suppliers in self._open.values():
            self._add(start_us, max(start_us, heal_us), only_suppliers)
        self._open.clear()
        self._spans.sort()

    def _add(self, start_us: int, end_us: int, only_suppliers: bool) -> None:
        self._spans.append((start_us, end_us, only_suppliers))

    def extend(self, since_us: int, by_us: int, full_us: int, *, suppliers: bool = False) -> int:
        """The deadline `by_us` of a promise running since `since_us`, as the blocking moved it.

        Each blocking met on the way starts the whole promise (`full_us`) anew at its end. Blocking of
        suppliers alone counts only for a promise that hangs on a supplier's word.
        """
        for start_us, end_us, only_suppliers in self._spans:
            if start_us > by_us:
                break
            if end_us >= since_us and (suppliers or not only_suppliers):
                by_us = max(by_us, end_us + full_us)
        return by_us


def _stops_the_platform(fault: str, data: Mapping[str, Any]) -> bool:
    if fault in _STOPS or fault.startswith("database."):
        return True
    if not fault.startswith("link."):
        return False
    caller, _, callee = str(data.get("where", "")).partition("->")
    return caller not in _BYSTANDERS and callee not in _BYSTANDERS
