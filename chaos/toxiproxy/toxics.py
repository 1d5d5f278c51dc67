"""A toxic as data: its name, type, stream and toxicity, and the attributes that its type has.

Bodies are read the way the upstream server reads them, so that its clients notice nothing: names of fields in any
case, unknown fields ignored, `null` as if absent, whole numbers only where whole numbers are meant.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from chaos.toxiproxy.refusal import bad_body, invalid_stream, invalid_type

UPSTREAM, DOWNSTREAM = "upstream", "downstream"
STREAMS = (UPSTREAM, DOWNSTREAM)

T = TypeVar("T")


class Noop(Struct, frozen=True):
    """Lets everything pass."""


class Latency(Struct, frozen=True):
    """Delays by `latency` ± `jitter` ms, counted from a chunk's arrival."""

    latency: int = 0
    jitter: int = 0


class Bandwidth(Struct, frozen=True):
    """Lets `rate` KB/s pass (1 KB is 1,000 bytes); at 0 nothing passes."""

    rate: int = 0


class SlowClose(Struct, frozen=True):
    """Delays the close by `delay` ms, and nothing else."""

    delay: int = 0


class Timeout(Struct, frozen=True):
    """Drops all data and closes after `timeout` ms without any; 0 never closes."""

    timeout: int = 0


class ResetPeer(Struct, frozen=True):
    """Resets the connection `timeout` ms after the first data."""

    timeout: int = 0


class Slicer(Struct, frozen=True):
    """Cuts into pieces of `average_size` ± `size_variation` bytes, `delay` µs apart."""

    average_size: int = 0
    size_variation: int = 0
    delay: int = 0


class LimitData(Struct, frozen=True):
    """Closes the connection after `bytes` bytes."""

    bytes: int = 0


Attributes = Noop | Latency | Bandwidth | SlowClose | Timeout | ResetPeer | Slicer | LimitData

TYPES: dict[str, type[Attributes]] = {
    "noop": Noop,
    "latency": Latency,
    "bandwidth": Bandwidth,
    "slow_close": SlowClose,
    "timeout": Timeout,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "limit_data": LimitData,
}


class Toxic(Struct, eq=False):
    """One toxic of one proxy. `stream` is shown as it was written; `direction` is what it means."""

    attributes: Attributes
    name: str
    type: str
    stream: str
    toxicity: float

    @property
    def direction(self) -> str:
        return self.stream.lower()

    def update(self, body: object) -> None:
        """Merges attributes and toxicity from a request. Raises Refusal, and then changes nothing."""
        wanted = convert(body, _Update)
        if isinstance(wanted.attributes, dict):
            merged = msgspec.to_builtins(self.attributes) | without_nulls(wanted.attributes)
            self.attributes = convert(merged, type(self.attributes))
        if wanted.toxicity is not UNSET:
            self.toxicity = wanted.toxicity


class _Update(Struct):
    attributes: dict[str, Any] | UnsetType = UNSET
    toxicity: float | UnsetType = UNSET


class _Creation(Struct):
    name: str = ""
    type: str = ""
    stream: str = DOWNSTREAM
    toxicity: float = 1.0
    attributes: dict[str, Any] = {}  # noqa: RUF012 - msgspec copies an empty default


def toxic_from(body: object) -> Toxic:
    """A toxic as a request describes it. Raises Refusal."""
    wanted = convert(body, _Creation)
    if wanted.stream.lower() not in STREAMS:
        raise invalid_stream()
    if wanted.type not in TYPES:
        raise invalid_type()
    attributes = convert(wanted.attributes, TYPES[wanted.type])
    name = wanted.name or f"{wanted.type}_{wanted.stream}"
    return Toxic(attributes, name, wanted.type, wanted.stream, wanted.toxicity)


def convert(body: object, shape: type[T]) -> T:
    """The body as one of our types. Raises Refusal that names the field."""
    try:
        return msgspec.convert(without_nulls(body) if isinstance(body, dict) else body, shape)
    except msgspec.ValidationError as error:
        raise bad_body(str(error)) from None


def without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in body.items() if value is not None}
