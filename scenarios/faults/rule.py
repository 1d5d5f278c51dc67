"""What every fault rule may say: what, where, when, and how much.

A rule does nothing by itself. The nemesis in `chaos` turns rules and a seed into blows.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scenarios.durations import Duration, InMicroseconds, render

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
_YES_NO = {"en": ("no", "yes"), "zh": ("否", "是")}
_EVERYWHERE = {
    ("channel", "*"): {"en": "every channel", "zh": "所有渠道"},
    ("supplier", "*"): {"en": "every supplier", "zh": "所有供应商"},
    ("node", "platform-*"): {"en": "every node", "zh": "所有节点"},
    ("node", "acting"): {"en": "the acting node", "zh": "当事节点"},
}
_ORDINALS = {1: "first", 2: "second", 3: "third"}


class Rule(BaseModel):
    """One fault: either in a window (`from`/`until`) or at the n-th occurrence of an event (`on`).

    `window` tells the two kinds of fault apart. A window fault holds for a while; a site fault is
    drawn for each message, charge, attempt or user, keyed by that site and never by draw order.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True
    )

    window: ClassVar[bool] = False
    recurs: ClassVar[bool] = False
    """Whether it strikes and passes by itself, so that it can strike again."""

    place: ClassVar[str] = ""
    says: ClassVar[dict[str, str]] = {}
    """The fault in a few words by language, with its fields as placeholders."""

    covered_us: ClassVar[dict[str, int]] = {}
    """How far a duration may go before the counterparty breaks its own contract. A scenario may go beyond, and
    then tells of the counterparty; storms that are varied by a seed stay within."""

    fault: str
    """Which fault; the name is the same in histories and reports."""

    start: Duration = Field(0, alias="from")
    """When the window opens, counted from the start of the run. With `on`, see `until`."""

    until: Duration | None = None
    """When it closes; the end of the safety phase if left out. With `on`, it lasts `until` − `from`."""

    on: str | None = None
    """Strike at an event instead of a time, such as `state.orders.paid`, `book.CH.captured`, `invoke.pay`."""

    nth: int = Field(1, ge=1)
    """Which occurrence of the event in `on`."""

    after: Duration = 0
    """How long after that occurrence."""

    probability: Probability = 1.0
    """Chance of striking at each site (message, charge, attempt, user), or once for a window fault."""

    repeat: int = Field(1, ge=1, le=10_000)
    """How often it strikes: once in each of so many equal parts of the window, at a random moment of it.
    For faults that pass by themselves, such as crashes."""

    @model_validator(mode="after")
    def _when_makes_sense(self) -> Self:
        if self.until is not None and self.until <= self.start:
            raise ValueError(f"until {render(self.until)} is not after from {render(self.start)}")
        if self.on is None and (self.nth != 1 or self.after):
            raise ValueError("nth and after need `on`: an event to count")
        if self.repeat > 1 and not self.recurs:
            raise ValueError(f"{self.fault} cannot repeat: only what strikes and passes by itself can")
        if self.repeat > 1 and self.on is not None:
            raise ValueError("repeat is spread over a window; it cannot wait for an event in `on`")
        return self

    def where(self) -> str:
        """The place as a pattern: a channel, a supplier, a node, users, or `caller->callee`."""
        return str(getattr(self, self.place))

    def params(self) -> dict[str, Any]:
        """How much, for the nemesis: the fault's own fields, durations as `<name>_us`."""
        return {
            f"{name}_us" if is_duration(type(self), name) else name: getattr(self, name)
            for name in self.own_fields()
        }

    @classmethod
    def own_fields(cls) -> list[str]:
        """The fields that are neither common to all rules nor the place."""
        return [
            name for name in cls.model_fields if name not in Rule.model_fields and name not in cls.places()
        ]

    @classmethod
    def places(cls) -> tuple[str, ...]:
        """The fields that say where."""
        return (cls.place,)

    def describe(self, lang: str = "en") -> str:
        """One sentence in `lang` (en or zh): what, where, how much, when."""
        values = {name: self._spoken(name, lang) for name in type(self).model_fields}
        where = _EVERYWHERE.get((self.place, self.where()), {}).get(lang, self.where())
        what = self.says[lang].format(**values, where=where)
        return what + (self._when_zh() if lang == "zh" else self._when_en())

    def _spoken(self, name: str, lang: str) -> Any:
        value = getattr(self, name)
        if isinstance(value, bool):
            return _YES_NO[lang][value]
        return render(value) if value is not None and is_duration(type(self), name) else value

    def _when_en(self) -> str:
        parts = [f", {self.repeat} times at random moments"] if self.repeat > 1 else []
        parts += [f" with probability {self.probability:g}"] if self.probability < 1 else []
        if self.on is not None:
            nth = _ORDINALS.get(self.nth, f"{self.nth}th")
            parts.append(f", {render(self.after)} after" if self.after else ", at")
            parts.append(f" the {nth} {self.on}")
        elif self.start or self.until is not None:
            end = "the end of the storm" if self.until is None else render(self.until)
            parts.append(f", from {render(self.start)} to {end}")
        return "".join(parts)

    def _when_zh(self) -> str:
        parts = [f"，随机时刻共 {self.repeat} 次"] if self.repeat > 1 else []
        parts += [f"，概率 {self.probability:g}"] if self.probability < 1 else []
        if self.on is not None:
            parts.append(
                f"，在第 {self.nth} 次 {self.on}" + (f" 之后 {render(self.after)}" if self.after else " 时")
            )
        elif self.start or self.until is not None:
            end = "风暴结束" if self.until is None else render(self.until)
            parts.append(f"，从 {render(self.start)} 到 {end}")
        return "".join(parts)


def is_duration(model: type[BaseModel], name: str) -> bool:
    """Whether a field is counted in microseconds."""
    return any(isinstance(mark, InMicroseconds) for mark in model.model_fields[name].metadata)
