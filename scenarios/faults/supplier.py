"""Faults of top-up suppliers."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.durations import Duration
from scenarios.faults.rule import Rule


class SupplierRule(Rule):
    place: ClassVar[str] = "supplier"
    supplier: str = "*"
    """Which supplier, or a pattern."""


class SupplierResultUnknown(SupplierRule):
    """No answer in time; the attempt may have succeeded."""

    fault: Literal["supplier.result_unknown"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} gives no answer (took effect: {effect})",
        "zh": "{where} 没有应答（已生效：{effect}）",
    }
    effect: bool = True
    """Whether the attempt took effect."""


class FalseSuccess(SupplierRule):
    """Says success and delivers nothing."""

    fault: Literal["supplier.false_success"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} claims success and delivers nothing; queries tell after {reveal}",
        "zh": "{where} 谎报成功却没有到账，{reveal} 后查询才露馅",
    }
    reveal: Duration = 120_000_000
    """After this long a query tells the truth."""


class NotFoundLag(SupplierRule):
    """A query says "not found" for a while although the attempt was received."""

    fault: Literal["supplier.not_found_lag"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} answers 'not found' for {lag}",
        "zh": "{where} 在 {lag} 内查询都说查无此单",
    }
    covered_us: ClassVar[dict[str, int]] = {"lag": 570_000_000}
    lag: Duration
    """How long. After 10 min "not found" means failed, so a seed's variation goes no further than 9min 30s."""


class Partial(SupplierRule):
    """Delivers less than ordered."""

    fault: Literal["supplier.partial"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} delivers only {fraction:g} of the quantity",
        "zh": "{where} 只交付 {fraction:g} 的数量",
    }
    fraction: float = Field(ge=0, lt=1)
    """Share of the quantity that is delivered."""


class Exhausted(SupplierRule):
    """The platform's balance at the supplier is empty."""

    fault: Literal["supplier.exhausted"]
    says: ClassVar[dict[str, str]] = {"en": "the balance at {where} is empty", "zh": "在 {where} 的余额耗尽"}


class Slow(SupplierRule):
    """Accepts at once, delivers later."""

    fault: Literal["supplier.slow"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} delivers {delay} late",
        "zh": "{where} 晚 {delay} 才到账",
    }
    delay: Duration
    """How late."""


class CallbackFirst(SupplierRule):
    """The callback overtakes the answer to the submit."""

    fault: Literal["supplier.callback_first"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where}'s callback overtakes its answer",
        "zh": "{where} 的回调先于应答到达",
    }


class SupplierFail(SupplierRule):
    """Fails honestly."""

    fault: Literal["supplier.fail"]
    says: ClassVar[dict[str, str]] = {"en": "{where} fails and says so", "zh": "{where} 明确返回失败"}


class SupplierDown(SupplierRule):
    """Cannot be reached."""

    fault: Literal["supplier.down"]
    says: ClassVar[dict[str, str]] = {"en": "{where} is down", "zh": "{where} 宕机"}


SUPPLIER_FAULTS = (
    SupplierResultUnknown,
    FalseSuccess,
    NotFoundLag,
    Partial,
    Exhausted,
    Slow,
    CallbackFirst,
    SupplierFail,
    SupplierDown,
)
