"""Where in a file a pydantic error points, and which fields would have been right there.

pydantic's locations carry the tag of a union beside real keys; both functions know how to step over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from scenarios.checking import Place

_TAGS = ("fault", "shape")


def real_place(location: Sequence[str | int], tree: Any) -> Place:
    """The location without union tags and dictionary-key marks: the path that a reader of the file sees."""
    place: list[str | int] = []
    node = tree
    for part in location:
        if part == "[key]" or (isinstance(node, dict) and part not in node and part in _tags(node)):
            continue
        place.append(part)
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            node = None
    return tuple(place)


def _tags(node: dict[str, Any]) -> list[Any]:
    return [node[tag] for tag in _TAGS if tag in node]


def candidates(location: Sequence[str | int], root: type[BaseModel]) -> list[str]:
    """Names of the fields, below the model `root`, that the last part of `location` was looked up in."""
    kinds: list[Any] = [root]
    for part in location[:-1]:
        kinds = [found for kind in kinds for found in _step(kind, part)]
    return [
        field.alias or name
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, field in kind.model_fields.items()
    ]


def _step(kind: Any, part: str | int) -> list[Any]:
    """The types that `part` leads to from `kind`: a field, an item, a value, or one member of a union."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part in (name, field.alias):
                return _members(field.annotation)
        return [kind] if part in _tag_values(kind) else []
    if get_origin(kind) is tuple:
        return _members(get_args(kind)[0])
    if get_origin(kind) is dict:
        return _members(get_args(kind)[1])
    return []


def _members(annotation: Any) -> list[Any]:
    """The models and containers that a field can hold, out of Annotated, unions and Optional."""
    if hasattr(annotation, "__metadata__"):
        return _members(annotation.__origin__)
    if get_origin(annotation) in (tuple, dict) or isinstance(annotation, type):
        return [annotation]
    return [member for option in get_args(annotation) for member in _members(option)]


def _tag_values(model: type[BaseModel]) -> list[Any]:
    return [
        value
        for tag in _TAGS
        if tag in model.model_fields
        for value in get_args(model.model_fields[tag].annotation)
    ]
