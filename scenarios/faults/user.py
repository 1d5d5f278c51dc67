"""What people do to orders: they lose the line, click twice, pay late, pay twice, change their minds."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from scenarios.durations import Duration
from scenarios.faults.rule import Rule


class UserRule(Rule):
    place: ClassVar[str] = "users"
    users: str = "*"
    """Which members, as a pattern."""


class Drop(UserRule):
    """The connection drops in the middle of an operation; the user comes back and looks."""

    fault: Literal["user.drop"]
    says: ClassVar[dict[str, str]] = {
        "en": "users drop off and are back after {back_after}",
        "zh": "用户掉线，{back_after} 后回来",
    }
    back_after: Duration
    """How long they are away."""


class DoubleSubmit(UserRule):
    """Clicks the button several times; the client key is the same."""

    fault: Literal["user.double_submit"]
    says: ClassVar[dict[str, str]] = {
        "en": "users click {times} times, {spacing} apart",
        "zh": "用户连点 {times} 次，间隔 {spacing}",
    }
    times: int = Field(2, ge=2, le=100)
    """Clicks in all."""

    spacing: Duration = 0
    """Between clicks; 0 lets them race."""


class Abandon(UserRule):
    """Orders and never pays."""

    fault: Literal["user.abandon"]
    says: ClassVar[dict[str, str]] = {"en": "users order and never pay", "zh": "用户下单后不付款"}


class WrongAccount(UserRule):
    """Mistypes the account to be topped up."""

    fault: Literal["user.wrong_account"]
    says: ClassVar[dict[str, str]] = {"en": "users mistype the account", "zh": "用户填错充值账号"}


class PayTwice(UserRule):
    """Opens a second charge for the same order and pays both."""

    fault: Literal["user.pay_twice"]
    says: ClassVar[dict[str, str]] = {"en": "users pay an order twice", "zh": "用户对同一订单付款两次"}


class PayLate(UserRule):
    """Pays long after ordering."""

    fault: Literal["user.pay_late"]
    says: ClassVar[dict[str, str]] = {
        "en": "users pay {delay} after ordering",
        "zh": "用户下单 {delay} 后才付款",
    }
    delay: Duration
    """How long after."""


class RequestRefund(UserRule):
    """Asks for the money back."""

    fault: Literal["user.request_refund"]
    says: ClassVar[dict[str, str]] = {
        "en": "users ask for a refund {after_paying} after paying",
        "zh": "用户付款 {after_paying} 后申请退款",
    }
    after_paying: Duration
    """How long after paying."""

    def params(self) -> dict[str, Any]:
        return {"after_us": self.after_paying}


class StaticCode(UserRule):
    """Pays the shop's static code without any order."""

    fault: Literal["user.static_code"]
    says: ClassVar[dict[str, str]] = {
        "en": "users pay the shop's static code without an order",
        "zh": "用户没有下单就扫店铺静态码付款",
    }


class SpendCredit(UserRule):
    """Spends wallet credit as soon as it shows."""

    fault: Literal["user.spend_credit"]
    says: ClassVar[dict[str, str]] = {
        "en": "users spend a credit {after_credit} after it shows",
        "zh": "用户在补偿到账 {after_credit} 后花掉它",
    }
    after_credit: Duration
    """How long after they see it."""

    def params(self) -> dict[str, Any]:
        return {"after_us": self.after_credit}


USER_FAULTS = (
    Drop,
    DoubleSubmit,
    Abandon,
    WrongAccount,
    PayTwice,
    PayLate,
    RequestRefund,
    StaticCode,
    SpendCredit,
)
