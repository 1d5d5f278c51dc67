"""The fault vocabulary: one model per fault, the same names in YAML, history and reports.

A fault rule says what, where, when and how much; it does nothing by itself. The nemesis in
`chaos` turns rules and a seed into a plan.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _microseconds(value: object) -> object:
    """Durations are written like `15s`, `1.5 min`, `200ms`, `24h 24m`, or an integer of microseconds."""
    return value  # replaced by scenarios.durations in this very issue


Duration = Annotated[int, BeforeValidator(_microseconds), Field(ge=0)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Rule(BaseModel):
    """What every fault rule may say about when it strikes.

    Either a window (`from`/`until`, default the whole safety phase), or `on`: the n-th occurrence of
    an event such as `state.inbox.insert`, `book.CH.captured` or `invoke.pay`, plus `after`.
    `probability` is drawn per site (message, charge, attempt, user), never per draw order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Duration = Field(0, alias="from")
    until: Duration | None = None
    on: str | None = None
    nth: int = Field(1, ge=1)
    after: Duration = 0
    probability: Probability = 1.0


class ChannelCallbackDelay(Rule):
    fault: Literal["channel.callback_delay"]
    channel: str = "*"
    delay: Duration
