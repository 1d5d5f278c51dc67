"""Which listener is called for which event: what they ask for, turned into tables by kind and name.

Everybody asks for the same keys in run after run, so where each of them stands in the tables is worked out
once. A run then only picks its own bound methods, which matters to small storms: there are thousands a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, TypeAlias

Handler: TypeAlias = Callable[[Any], object]
Handlers: TypeAlias = tuple[Handler, ...]
Tables: TypeAlias = dict[str, dict[str, Handlers]]
"""Kind of key (`state`, `CH`, `ok` …) → name → who is called, those who asked for `kind.*` first."""

_Pick: TypeAlias = Callable[[Sequence[Handler]], Handlers]


def tables(heard: Sequence[Mapping[str, Handler]]) -> Tables:
    """The tables of these listeners; who comes first is called first."""
    handlers = tuple(chain.from_iterable(asked.values() for asked in heard))
    picks = _picks(tuple(map(tuple, heard)))
    return {kind: {name: pick(handlers) for name, pick in by_name.items()} for kind, by_name in picks.items()}


@lru_cache(maxsize=128)  # one entry for each set of listeners; a checker that breaks makes another
def _picks(asked: tuple[tuple[str, ...], ...]) -> dict[str, dict[str, _Pick]]:
    """As `tables`, with what picks the handlers out of those of all listeners, one after the other."""
    places: dict[str, list[int]] = {}
    for place, key in enumerate(chain.from_iterable(asked)):
        places.setdefault(key, []).append(place)
    picks: dict[str, dict[str, _Pick]] = {}
    for key, own in places.items():
        kind, _, name = key.partition(".")
        general = places.get(f"{kind}.*", []) if name != "*" else []
        picks.setdefault(kind, {})[name] = _picker([*general, *own])
    return picks


def _picker(places: list[int]) -> _Pick:
    # Of a single place `itemgetter` would give the bare item; a slice makes it a tuple like the others.
    return itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
