"""A scenario as a person would write it: durations in words, nothing that is as it would be anyway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel

from scenarios.durations import InMicroseconds, render
from scenarios.model import Scenario


def plain(scenario: Scenario) -> dict[str, Any]:
    """Data that loads again as the same scenario; expectations are left out."""
    written: dict[str, Any] = _written(scenario.model_copy(update={"expect": {}, "sometimes": ()}))
    return written


def _written(value: Any) -> Any:
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {
            field.alias or name: _field(getattr(value, name), field)
            for name, field in fields.items()
            if field.is_required() or getattr(value, name) != field.get_default(call_default_factory=True)
        }
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items()}
    return [_written(item) for item in value] if isinstance(value, list | tuple) else value


def _field(value: Any, field: Any) -> Any:
    in_us = any(isinstance(mark, InMicroseconds) for mark in field.metadata) or _counts_us(field.annotation)
    return render(value) if in_us and isinstance(value, int) else _written(value)


def _counts_us(annotation: Any) -> bool:
    """Whether a field that may be empty is a duration when it is not."""
    marks = getattr(annotation, "__metadata__", ())
    return any(isinstance(mark, InMicroseconds) for mark in marks) or any(
        map(_counts_us, get_args(annotation))
    )
