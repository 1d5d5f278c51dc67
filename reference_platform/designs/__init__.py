"""The designs compared: one file each, wiring and parameters only.

A design module exports NAME, SUMMARY, SUMMARY_ZH, CONFIG, PARTS and `build`. The ladder from `naive`
to `resilient` adds one known remedy at each step. `planted` holds designs with one known bug.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from reference_platform import policy
from reference_platform.platform import OrderPlatform
from reference_platform.ports import Ports
from reference_platform.wiring import Config

LADDER = (
    "naive",
    "callback_idempotent",
    "outbox",
    "active_query",
    "supplier_fence",
    "compensated",
    "resilient",
)


@dataclass(frozen=True, slots=True)
class Design:
    """One way to build the platform."""

    name: str
    summary: str
    summary_zh: str
    config: Config
    build: Callable[[Ports, Config], OrderPlatform]

    def policy_summary(self) -> dict[str, Any]:
        """The compensation policy it promises, rules by id; empty when it promises nothing."""
        return {} if self.config.policy is None else _summary(self.config.policy)


@cache
def _summary(name: str) -> dict[str, Any]:
    return policy.shipped(name).summary()


def names() -> tuple[str, ...]:
    """The ladder, from the weakest to the strongest."""
    return LADDER


def planted_names() -> tuple[str, ...]:
    """The designs with one planted bug each."""
    folder = str(Path(__file__).parent / "planted")
    return tuple(sorted(f"planted.{module.name}" for module in pkgutil.iter_modules([folder])))


@cache
def load(name: str) -> Design:
    """The design of this name; LookupError when there is none."""
    if name not in LADDER and name not in planted_names():
        raise LookupError(f"there is no design {name!r}")
    module = import_module(f"reference_platform.designs.{name}")
    return Design(name, module.SUMMARY, module.SUMMARY_ZH, module.CONFIG, module.build)
