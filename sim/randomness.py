"""One seed, many streams: every draw is a pure function of (seed, stream name, key).

Nothing depends on the order of draws. A fault that is added or deleted therefore disturbs no arrival,
and two designs given the same seed meet the same users and the same delays (common random numbers).

A key is a tuple of strings, integers and booleans that names the site of the draw, such as
`("callback", order_id, attempt)`. It is written as JSON, so `1` and `"1"` are different keys. BLAKE2b
turns it into 64 bits; its salt and personalisation carry seed and stream, which costs nothing a draw.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from hashlib import blake2b
from itertools import accumulate
from math import log
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")

_TO_UNIT: Final = 2.0**-53
_encode: Final = msgspec.json.Encoder().encode
_from_bytes: Final = int.from_bytes
_eight_words: Final = struct.Struct("<8Q").unpack


class Weighted(Generic[T]):
    """A set of choices with weights, prepared once and drawn from many times."""

    __slots__ = ("_bounds", "_items", "_total")

    def __init__(self, items: Iterable[T], weights: Iterable[float]) -> None:
        self._items = tuple(items)
        self._bounds = list(accumulate(weights))
        if not self._items or len(self._items) != len(self._bounds):
            raise ValueError(f"{len(self._items)} items need as many weights, not {len(self._bounds)}")
        self._total = self._bounds[-1]
        if self._total <= 0 or any(b < a for a, b in zip([0.0, *self._bounds], self._bounds, strict=False)):
            raise ValueError("weights must not be negative, and not all zero")

    def at(self, unit: float) -> T:
        """The item at a point of the unit interval [0, 1)."""
        return self._items[bisect_right(self._bounds, unit * self._total)]


def zipf(count: int, exponent: float = 1.0) -> Weighted[int]:
    """Ranks 0 … count-1 by Zipf's law: rank r is drawn in proportion to 1 / (r + 1) ** exponent."""
    return Weighted(range(count), ((rank + 1) ** -exponent for rank in range(count)))


class Streams:
    """The named random streams of one seed."""

    __slots__ = ("_hashers", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._hashers: dict[str, Callable[[], Any]] = {}  # stream name -> a fresh hasher of it

    def bits(self, stream: str, *key: object) -> int:
        """64 random bits."""
        fresh = self._hashers.get(stream)
        hasher = fresh() if fresh is not None else self._open(stream)()
        hasher.update(_encode(key))
        return _from_bytes(hasher.digest(), "little")

    def uniform(self, stream: str, *key: object) -> float:
        """A number in [0, 1)."""
        return (self.bits(stream, *key) >> 11) * _TO_UNIT

    def integer(self, stream: str, low: int, high: int, *key: object) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + (self.bits(stream, *key) * (high - low + 1) >> 64)

    def exponential(self, stream: str, mean: float, *key: object) -> float:
        """A waiting time with the given mean."""
        return -mean * log(1.0 - self.uniform(stream, *key))

    def chance(self, stream: str, probability: float, *key: object) -> bool:
        """True with the given probability; a probability of 1 or 0 costs no draw."""
        return probability >= 1.0 or (probability > 0.0 and self.uniform(stream, *key) < probability)

    def choice(self, stream: str, items: Sequence[T], *key: object) -> T:
        """One of the items, all equally likely."""
        return items[self.bits(stream, *key) * len(items) >> 64]

    def weighted(self, stream: str, choices: Weighted[T], *key: object) -> T:
        """One of the choices, by their weights."""
        return choices.at(self.uniform(stream, *key))

    def sequence(self, stream: str, *key: object) -> Draws:
        """A generator for bulk draws, such as the arrivals of one traffic source.

        The order of draws matters within it, so give each thing that can be added or taken away alone
        a sequence of its own.
        """
        return Draws(self.bits(stream, *key), stream)

    def _open(self, stream: str) -> Callable[[], Any]:
        name = blake2b(_encode((self.seed, stream)), digest_size=32, person=b"dingfeng-stream").digest()
        fresh: Callable[[], Any] = blake2b(digest_size=8, salt=name[:16], person=name[16:]).copy
        self._hashers[stream] = fresh
        return fresh


class Draws:
    """Draws in order: a counter, hashed, eight numbers at a time."""

    __slots__ = ("_block", "_fresh", "_words")

    def __init__(self, state: int, stream: str) -> None:
        self._fresh = blake2b(_encode((state, stream)), person=b"dingfeng-draws").copy
        self._block = 0
        self._words: list[int] = []

    def bits(self) -> int:
        """64 random bits."""
        if not self._words:
            hasher = self._fresh()
            hasher.update(self._block.to_bytes(8, "little"))
            self._block += 1
            self._words = list(_eight_words(hasher.digest()))
        return self._words.pop()

    def uniform(self) -> float:
        """A number in [0, 1)."""
        return (self.bits() >> 11) * _TO_UNIT

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + (self.bits() * (high - low + 1) >> 64)

    def exponential(self, mean: float) -> float:
        """A waiting time with the given mean."""
        return -mean * log(1.0 - self.uniform())

    def choice(self, items: Sequence[T]) -> T:
        """One of the items, all equally likely."""
        return items[self.bits() * len(items) >> 64]

    def weighted(self, choices: Weighted[T]) -> T:
        """One of the choices, by their weights."""
        return choices.at(self.uniform())
