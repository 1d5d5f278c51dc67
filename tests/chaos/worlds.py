"""A small storm to vary: twelve orders of three kinds within half a minute."""

from __future__ import annotations

from typing import Any

from chaos.history import Event, Fault, History
from scenarios.model import Scenario

SECOND = 1_000_000
MINUTE = 60 * SECOND
PRODUCTS: list[dict[str, Any]] = [
    {"sku": "game-100", "kind": "card", "price_fen": 9800, "stock": 60},
    {"sku": "phone-50", "kind": "topup", "price_fen": 4990, "suppliers": ["alpha", "beta"]},
    {"sku": "vip", "kind": "membership", "price_fen": 1500, "days": 30},
]


def storm(*faults: dict[str, Any], knobs: dict[str, Any] | None = None, **workload: Any) -> Scenario:
    """The small storm with these faults; `workload` changes what people do, `knobs` the platform."""
    text = {"en": "small", "zh": "小"}
    people = {
        "orders": 12,
        "arrivals": {"shape": "burst", "within": "30s"},
        "members": 3,
        "products": PRODUCTS,
        **workload,
    }
    return Scenario.model_validate(
        {
            "name": "small", "title": text, "story": text, "catalogue": ["F-01"],
            "workload": people, "faults": faults, "knobs": knobs or {},
            "timing": {"safety": "20min", "deadline": "60min"},
        }
    )  # fmt: skip


def of(history: History, kind: type[Any], **fields: Any) -> list[Any]:
    """The events of a kind whose fields are these."""
    return [
        event
        for event in history.events
        if type(event) is kind and all(getattr(event, name) == value for name, value in fields.items())
    ]


def deeds(history: History) -> list[Event]:
    """All that happened but the faults themselves."""
    return [event for event in history.events if type(event) is not Fault]
