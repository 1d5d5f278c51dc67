"""Durations as people write them (`15s`, `1.5min`, `24h 4min`) and as the harness counts them: µs.

Written out here because the well-kept parsers work in float seconds; a storm needs exact microseconds.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)\s*")
_WRITTEN = re.compile(rf"\s*(?:{_PART.pattern})+")


class InMicroseconds:
    """Marks an annotation, so that rules can name the value `<field>_us` for the nemesis."""


def parse(value: object) -> object:
    """Microseconds of a written duration. Anything but a string passes through to be checked as int."""
    if not isinstance(value, str):
        return value
    if not _WRITTEN.fullmatch(value):
        raise ValueError(f"{value!r} is no duration; write it like 200ms, 15s, 1.5min, 24h 4min")
    total = sum(Decimal(number) * _UNITS_US[unit] for number, unit in _PART.findall(value))
    if total != int(total):
        raise ValueError(f"{value!r} is finer than a microsecond")
    return int(total)


def render(duration_us: int) -> str:
    """The shortest exact way to write it: 90_000_000 → `1min 30s`."""
    sign, rest, parts = ("-" if duration_us < 0 else ""), abs(duration_us), []
    for unit in ("d", "h", "min", "s", "ms", "us"):
        count, rest = divmod(rest, _UNITS_US[unit])
        if count:
            parts.append(f"{count}{unit}")
    return sign + (" ".join(parts) or "0s")


def _parse_offset(value: object) -> object:
    if isinstance(value, str) and value.lstrip().startswith("-"):
        size = parse(value.lstrip()[1:])
        return -size if isinstance(size, int) else size
    return parse(value)


_EXAMPLES = ["200ms", "15s", "1.5min", "24h 4min"]
Duration = Annotated[
    int,
    BeforeValidator(parse, json_schema_input_type=int | str),
    Field(ge=0, strict=True, examples=_EXAMPLES),
    InMicroseconds(),
]
Offset = Annotated[
    int,
    BeforeValidator(_parse_offset, json_schema_input_type=int | str),
    Field(strict=True, examples=["-90s", "5min"]),
    InMicroseconds(),
]
