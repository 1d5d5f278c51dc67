"""YAML → Scenario. Every error is one message: file, line, field, what is wrong, the nearest valid name."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from scenarios.checking import Place, problems
from scenarios.fields import candidates, real_place
from scenarios.model import Scenario

LIBRARY = Path(__file__).parent / "library"


class ScenarioError(Exception):
    """The scenario cannot be used. The message is complete: where, what, and what was probably meant."""


@cache
def library() -> tuple[str, ...]:
    """The names of the shipped scenarios."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.yaml")))


def find(name: str) -> Path:
    """The file of a shipped scenario's name, or of a path (which has a `/` or ends in .yaml)."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return Path(name)
    if name not in library():
        raise ScenarioError(
            f"no scenario {name!r}{meant(name, library())}; `dingfeng list scenarios` shows all"
        )
    return LIBRARY / f"{name}.yaml"


def load(
    name: str | Path, *, designs: Collection[str] | None = None, situations: Collection[str] | None = None
) -> Scenario:
    """Read and check a scenario by library name or path. Raises ScenarioError."""
    path = find(str(name))
    return parse(_text(path), _shown(path), designs=designs, situations=situations, stem=path.stem)


def parse(
    text: str,
    source: str,
    *,
    designs: Collection[str] | None = None,
    situations: Collection[str] | None = None,
    stem: str | None = None,
) -> Scenario:
    """Check the text of a scenario; `source` names it in errors. Raises ScenarioError."""
    tree = _tree(text, source)
    try:
        scenario = Scenario.model_validate(_plain(tree))
    except ValidationError as error:
        raise ScenarioError(_explain(error, tree, source)) from error
    found = list(problems(scenario, designs, situations))
    if stem is not None and scenario.name != stem:
        raise ScenarioError(
            f"{source}:{_line(tree, ('name',))}: name: {scenario.name!r} is not the file's name {stem!r}"
        )
    if found:
        first = found[0]
        message = first.message + (meant(first.wrong, first.valid) if first.wrong else "")
        raise ScenarioError(_at(tree, source, first.place, message) + _more(len(found)))
    return scenario


def meant(wrong: str, valid: Collection[str]) -> str:
    """`; did you mean 'x'?` for the nearest valid name, or nothing."""
    near = get_close_matches(wrong, list(valid), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _text(path: Path) -> str:
    shown = _shown(path)
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise ScenarioError(f"{shown}: no such file{meant(path.stem, library())}") from None
    except IsADirectoryError:
        raise ScenarioError(f"{shown}: is a directory; name a scenario file in it") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ScenarioError(
            f"{shown}:{line}: not UTF-8 text (byte {error.object[error.start]:#04x})"
        ) from None
    except OSError as error:
        raise ScenarioError(f"{shown}: cannot be read: {error.strerror}") from None


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _tree(text: str, source: str) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        what = (
            (error.problem or "")
            .split(" with value")[0]
            .replace("found duplicate key", "duplicate field")
            .replace('"', "'")
        )
        raise ScenarioError(f"{source}:{_mark(error)}: {what}") from None
    except MarkedYAMLError as error:
        raise ScenarioError(
            f"{source}:{_mark(error)}: malformed YAML: {error.problem or error.context}"
        ) from None
    except YAMLError as error:
        raise ScenarioError(f"{source}: malformed YAML: {' '.join(str(error).split())}") from None
    if tree is None:
        raise ScenarioError(
            f"{source}:1: the file is empty; `dingfeng schema scenario` shows what belongs in it"
        )
    if not isinstance(tree, CommentedMap):
        raise ScenarioError(
            f"{source}:1: a scenario is a mapping of fields, this is {type(_plain(tree)).__name__}"
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


def _explain(error: ValidationError, tree: CommentedMap, source: str) -> str:
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
        message = "unknown field" + meant(str(place[-1]), candidates(detail["loc"]))
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
