"""The question every actor asks at a stable site: does a fault strike here?

Actors (channel, supplier, members) know *where* they could misbehave, the nemesis knows *whether*.
A site is named by stable keys (charge number, attempt count), never by the order of draws, so
taking one fault out of a plan leaves all the others where they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol


class Storm(Protocol):
    """Draws, and records the evidence of what it struck; `chaos.nemesis` implements it."""

    def at(self, fault: str, where: str, key: tuple[str, ...]) -> Mapping[str, Any] | None:
        """The parameters of `fault` when it strikes `where` at the site `key`, else None.

        `where` is the channel, supplier or user. Durations are microseconds, names end `_us`.
        """
        ...

    def has(self, fault: str) -> bool:
        """Whether this run can see `fault` at all. Actors ask once, and skip the sites of absent faults."""
        ...


class Calm:
    """Fair weather: nothing ever strikes."""

    __slots__ = ()

    def at(self, fault: str, where: str, key: tuple[str, ...]) -> Mapping[str, Any] | None:  # noqa: ARG002
        return None

    def has(self, fault: str) -> bool:  # noqa: ARG002 - the protocol's signature
        return False


CALM: Final = Calm()
