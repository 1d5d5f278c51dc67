"""The last look: every order, wallet, membership and product, as its user would read it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reference_platform.ports import SECOND, Request, Response
from sim.people.phone import Line
from sim.recorder import Recorder

READ_TIMEOUT_US = 10 * SECOND


async def final_reads(orders: Mapping[str, str], skus: Sequence[str], line: Line, recorder: Recorder) -> None:
    """Read one after the other over `line` and write down what was shown. `orders`: order id → its member."""

    async def read(subject: str, key: str, user: str, action: str, args: Mapping[str, Any]) -> None:
        outcome = await line.call(Request(action, user, args), READ_TIMEOUT_US, ("read", key))
        answered = isinstance(outcome, Response) and outcome.status < 300
        recorder.read(subject, key, outcome.body if answered else {"error": str(outcome)})

    for order_id, user in orders.items():
        await read("order", order_id, user, "view_order", {"order_id": order_id})
    for user in sorted(set(orders.values())):
        await read("wallet", user, user, "view_wallet", {})
        await read("membership", user, user, "view_membership", {})
    for sku in skus:
        await read("product", sku, "reader", "view_product", {"sku": sku})
