"""The compensation policy: rules as data, in a YAML file that a user can edit.

This module knows the words a rule may use and reports a wrong one with its file, line and field. It
runs when a design is built; nothing of it is on a hot path.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from reference_platform.ports import HOUR, MINUTE, SECOND

UNITS: Final = {"s": SECOND, "min": MINUTE, "h": HOUR, "d": 24 * HOUR}

Moment = Literal[
    "captured",
    "extra_captured",
    "orphan_captured",
    "late_captured",
    "short_delivered",
    "false_success",
    "suspended",
    "delivered",
]
Fact = Literal[
    "order_exists",
    "order_status",
    "paid_with",
    "captured_fen",
    "delivered_qty",
    "missing_qty",
    "paid_age_s",
    "disclosed_wait_open",
    "supplier_undecided",
    "refund_requested",
    "credit_status",
    "charge_paid_fen",
    "charge_is_extra",
    "charge_refunded",
    "attempt_status",
    "suspense",
]
Operator = Literal["==", "!=", ">", ">=", "<", "<=", "in", "not in"]
Action = Literal[
    "credit_wallet",
    "refund_charge",
    "fulfil_or_refund",
    "refund_missing",
    "revoke_and_refund",
    "open_ticket",
    "void_credit",
]
Amount = Literal["captured", "charge_paid", "missing_value", "delivered_value", "credit", "suspense"]


MOMENTS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "credit_wallet": ("captured",),
    "refund_charge": ("extra_captured", "orphan_captured"),
    "fulfil_or_refund": ("late_captured",),
    "refund_missing": ("short_delivered",),
    "revoke_and_refund": ("false_success",),
    "open_ticket": ("suspended",),
    "void_credit": ("delivered",),
}


class PolicyError(ValueError):
    """The policy file is wrong; the message says where and how."""


def _duration(value: object) -> object:
    """Microseconds from `90 s`, `5 min`, `24 h`, `1 d`."""
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - pydantic reports ValueError
            "a duration is written like `60 s`, `5 min`, `24 h`"
        )
    number, _, unit = value.strip().partition(" ")
    if unit.strip() not in UNITS or not number.isdigit():
        raise ValueError(f"{value!r} is not a duration like `60 s`, `5 min`, `24 h`")
    return int(number) * UNITS[unit.strip()]


Duration = Annotated[int, BeforeValidator(_duration)]


class Strict(BaseModel):
    """No unknown fields, no changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(Strict):
    """`fact op value`."""

    fact: Fact
    op: Operator
    value: bool | int | str | tuple[str, ...]


class Title(Strict):
    """The rule in a few words."""

    en: str
    zh: str


class Rule(Strict):
    """What is owed when, to be done by when."""

    id: str = Field(pattern=r"^K-\d\d$")
    title: Title
    moment: Moment
    after: Duration = 0
    deadline: Duration
    trigger: tuple[Condition, ...] = Field(min_length=1)
    exclusions: tuple[Condition, ...] = ()
    evidence: tuple[Fact, ...] = Field(min_length=1)
    action: Action
    amount: Amount
    cap_fen: int | None = Field(default=None, gt=0)
    enabled: bool = True


class Policy(Strict):
    """All rules of a platform."""

    name: str
    rules: tuple[Rule, ...] = Field(min_length=1)

    @cached_property
    def by_id(self) -> Mapping[str, Rule]:
        """The rules by their ids."""
        return {rule.id: rule for rule in self.rules}

    @cached_property
    def by_moment(self) -> Mapping[str, Sequence[Rule]]:
        """The enabled rules of each moment, in the order of the file."""
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            if rule.enabled:
                found.setdefault(rule.moment, []).append(rule)
        return found

    def summary(self) -> dict[str, dict[str, Any]]:
        """The rules by id, as plain data for a history's header."""
        return {
            rule.id: {
                "enabled": rule.enabled,
                "after_us": rule.after,
                "deadline_us": rule.deadline,
                "cap_fen": rule.cap_fen,
                "action": rule.action,
                "amount": rule.amount,
            }
            for rule in self.rules
        }


# ---------------------------------------------------------------- loading


@cache
def shipped(name: str) -> Policy:
    """A policy of this package by name, e.g. `standard`."""
    folder = resources.files("reference_platform") / "policies"
    file = folder / f"{name}.yaml"
    if not file.is_file():
        known = sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))
        raise PolicyError(f"there is no policy {name!r}{_nearest(name, known)}")
    return parse(file.read_text(encoding="utf-8"), f"policies/{name}.yaml")


def load(path: Path) -> Policy:
    """A policy from a user's own file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: {error}") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> Policy:
    """A policy from YAML. PolicyError names `source`, the line and the field."""
    try:
        data = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(f"{source}:{line}: {error.problem}") from error
    except YAMLError as error:
        raise PolicyError(f"{source}: {error}") from error
    if not isinstance(data, Mapping):
        raise PolicyError(f"{source}:1: a policy is a mapping with `name` and `rules`")
    try:
        policy = Policy.model_validate(_plain(data))
    except ValidationError as error:
        raise PolicyError(_explain(error, data, source)) from error
    seen: list[str] = []
    for n, rule in enumerate(policy.rules):
        if rule.id in seen:
            raise PolicyError(
                f"{source}:{_line(data, ('rules', n, 'id'))}: rules[{n}].id: {rule.id} is there twice"
            )
        seen.append(rule.id)
        if rule.moment not in MOMENTS_OF[rule.action]:
            fits = " or ".join(MOMENTS_OF[rule.action])
            place = _line(data, ("rules", n, "action"))
            raise PolicyError(
                f"{source}:{place}: rules[{n}].action: {rule.action} goes with the moment {fits}"
            )
    return policy


def _plain(value: Any) -> Any:
    """The same without the line numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return value


def _explain(error: ValidationError, data: Any, source: str) -> str:
    """The first mistake, with its place and the nearest right word."""
    # A misspelt field is both unknown and missing; the unknown word says more.
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    place = first["loc"]
    if place and place[-1] in ("bool", "int", "str", "tuple[str, ...]", "constrained-str"):
        place = place[:-1]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    what = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    if first["type"] == "literal_error" and isinstance(given, str):
        known = [word.strip(" '") for word in str(first["ctx"]["expected"]).replace(" or ", ",").split(",")]
        what = f"unknown {place[-1]} {given!r}{_nearest(given, known)}"
    elif first["type"] == "extra_forbidden":
        owner: Any = Rule if len(place) == 3 else Condition if len(place) > 3 else Policy
        what = f"unknown field{_nearest(str(place[-1]), list(owner.model_fields))}"
    return f"{source}:{_line(data, place)}: {field}: {what}"


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.4)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


def _line(data: Any, place: tuple[Any, ...]) -> int:
    """The line of the deepest part of `place` that exists in the file."""
    line = 1
    for part in place:
        marks = getattr(data, "lc", None)
        if marks is None or marks.data is None or part not in marks.data:
            break
        line = int(marks.data[part][0]) + 1
        data = data[part]
    return line
