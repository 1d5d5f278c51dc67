"""A person: a name, a wish, a phone, and everything about them that the storm may strike.

Sites of user faults are `(client_key, …)` with the user's name. Draws are keyed by the client key too,
so what happens to one person moves nobody else.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reference_platform.ports import Response
from sim.kernel import Kernel
from sim.people.phone import Phone
from sim.randomness import Streams
from sim.storm import Storm
from sim.traffic import Arrival

USER_FAULTS: Final = tuple(
    f"user.{fault}"
    for fault in (
        "drop",
        "double_submit",
        "abandon",
        "wrong_account",
        "pay_twice",
        "pay_late",
        "request_refund",
        "static_code",
        "spend_credit",
    )
)


@dataclass(frozen=True, slots=True)
class Shop:
    """What people know of the shop: kind and price of each sku."""

    kinds: Mapping[str, str]
    prices_fen: Mapping[str, int]


class Surroundings:
    """What all people share. `stormy` and `lingering`: whether it is worth asking the storm at all."""

    __slots__ = ("kernel", "lingering", "phone", "shop", "storm", "stormy", "uniform")

    def __init__(self, kernel: Kernel, phone: Phone, streams: Streams, shop: Shop, storm: Storm) -> None:
        self.kernel = kernel
        self.phone = phone
        self.shop = shop
        self.storm = storm
        self.stormy = any(map(storm.has, USER_FAULTS))
        self.lingering = storm.has("channel.pay_after_close")
        self.uniform = streams.uniform


class Person:
    """Somebody with a wish. `key` is the client key of the order that shall fulfil it."""

    __slots__ = ("_asked", "around", "key", "stormy", "user", "wish")

    def __init__(self, around: Surroundings, wish: Arrival) -> None:
        self.around = around
        self.wish = wish
        self.user = wish.user
        self.key = f"k{wish.number}"
        self.stormy = around.stormy
        self._asked = 0

    def ask(self, action: str, args: Mapping[str, Any]) -> Coroutine[Any, Any, Response]:
        """Ask the platform; await what it says."""
        return self.around.phone.ask(self.user, action, args, self.request_key(action))

    def view(self, order_id: str) -> Coroutine[Any, Any, Response]:
        """Look at an order."""
        return self.ask("view_order", {"order_id": order_id})

    def request_key(self, action: str) -> tuple[str, str, int]:
        """The name of one request in draws: what is asked, and that it is the n-th question."""
        self._asked += 1
        return (action, self.key, self._asked)

    def between_us(self, span_us: tuple[int, int], stream: str, *key: str) -> int:
        """A duration drawn evenly from the span, by the key alone."""
        low_us, high_us = span_us
        return low_us + int((high_us - low_us) * self.around.uniform(stream, *key))

    def strikes(self, fault: str, *key: str) -> Mapping[str, Any] | None:
        """Whether the user fault strikes this person's wish here, and how."""
        return self.around.storm.at(f"user.{fault}", self.user, (self.key, *key))
