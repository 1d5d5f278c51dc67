"""YAML that people write → checked data. Every error is one message: file, line, field, the nearest valid name.

Scenarios and gate policies are read by this; each brings its model and its name for the thing.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from scenarios.checking import Place
from scenarios.fields import candidates, real_place

Model = TypeVar("Model", bound=BaseModel)


class DocumentError(Exception):
    """The file cannot be used. The message is complete: where, what, and what was probably meant."""


class Document:
    """The text of a file, parsed. `source` names it in errors, `kind` says what it should be (`scenario`)."""

    def __init__(self, text: str, source: str, kind: str) -> None:
        self.source = source
        self._tree = _tree(text, source, kind)

    def into(self, model: type[Model]) -> Model:
        """The data as `model`. Raises DocumentError for the first thing that does not fit."""
        try:
            return model.model_validate(_plain(self._tree))
        except ValidationError as error:
            raise DocumentError(_explain(error, self._tree, self.source, model)) from error

    def error(self, place: Place, message: str, *, count: int = 1) -> DocumentError:
        """What is wrong at `place`, the first of `count` such things."""
        return DocumentError(_at(self._tree, self.source, place, message) + _more(count))


def meant(wrong: str, valid: Collection[str]) -> str:
    """`; did you mean 'x'?` for the nearest valid name, or nothing."""
    near = get_close_matches(wrong, list(valid), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def read(path: Path, kind: str, near: Collection[str] = ()) -> str:
    """The text of a file of that kind; `near` are names that a missing one may have been meant to be. Raises DocumentError."""
    name = shown(path)
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise DocumentError(f"{name}: no such file{meant(path.stem, near)}") from None
    except IsADirectoryError:
        raise DocumentError(f"{name}: is a directory; name a {kind} file in it") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DocumentError(
            f"{name}:{line}: not UTF-8 text (byte {error.object[error.start]:#04x})"
        ) from None
    except OSError as error:
        raise DocumentError(f"{name}: cannot be read: {error.strerror}") from None


def shown(path: Path) -> str:
    """The path as people say it: from here, if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _tree(text: str, source: str, kind: str) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        what = (
            (error.problem or "")
            .split(" with value")[0]
            .replace("found duplicate key", "duplicate field")
            .replace('"', "'")
        )
        raise DocumentError(f"{source}:{_mark(error)}: {what}") from None
    except MarkedYAMLError as error:
        raise DocumentError(
            f"{source}:{_mark(error)}: malformed YAML: {error.problem or error.context}"
        ) from None
    except YAMLError as error:
        raise DocumentError(f"{source}: malformed YAML: {' '.join(str(error).split())}") from None
    if tree is None:
        raise DocumentError(
            f"{source}:1: the file is empty; `dingfeng schema {kind}` shows what belongs in it"
        )
    if not isinstance(tree, CommentedMap):
        raise DocumentError(
            f"{source}:1: a {kind} is a mapping of fields, this is {type(_plain(tree)).__name__}"
        )
    return tree


def _mark(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return 1 if mark is None else int(mark.line) + 1


def _plain(node: Any) -> Any:
    """The same data without the parser's types, which carry line numbers and comments."""
    if isinstance(node, dict):
        return {_plain(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _explain(error: ValidationError, tree: CommentedMap, source: str, model: type[BaseModel]) -> str:
    """The first error in our own words, where pydantic's are for programmers.

    An unknown field comes before the missing one that it was probably meant to be.
    """
    errors = error.errors(include_url=False)
    placed = [(real_place(detail["loc"], tree), detail) for detail in errors]
    place, detail = min(placed, key=lambda pair: (pair[1]["type"] != "extra_forbidden", _line(tree, pair[0])))
    context = detail.get("ctx", {})
    message = str(detail["msg"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        message = "unknown field" + meant(str(place[-1]), candidates(detail["loc"], model))
    elif kind == "missing":
        message = "missing field"
    elif kind == "union_tag_not_found":
        tag = str(context["discriminator"]).strip("'")
        place, message = (*place, tag), "missing field"
    elif kind == "union_tag_invalid":
        valid = [name.strip("' ") for name in str(context["expected_tags"]).split(",")]
        tag = str(context["discriminator"]).strip("'")
        place, message = (*place, tag), f"unknown {tag} {context['tag']!r}{meant(str(context['tag']), valid)}"
    elif kind == "literal_error":
        valid = [name.strip("' ") for name in str(context["expected"]).replace(" or ", ",").split(",")]
        message = f"{detail['input']!r} is none of {context['expected']}{meant(str(detail['input']), valid)}"
    elif kind == "value_error":
        message = str(context["error"])
    else:
        message = f"{message.replace('Input should', 'must').replace('String should', 'must')}, not {detail['input']!r}"
    return _at(tree, source, place, message) + _more(len(errors))


def _more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""


def _at(tree: CommentedMap, source: str, place: Place, message: str) -> str:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    return f"{source}:{_line(tree, place)}: {field}: {message}" if field else f"{source}:1: {message}"


def _line(tree: CommentedMap, place: Place) -> int:
    """The line of the deepest part of `place` that the file has, counted from 1."""
    node: Any = tree
    line = 1
    for part in place:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
        else:
            break
        node = node[part]
    return int(line)
