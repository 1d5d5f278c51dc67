"""Faults of payment channels: what their documents allow, and what attackers try."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.durations import Duration
from scenarios.faults.rule import Rule


class ChannelRule(Rule):
    place: ClassVar[str] = "channel"
    channel: str = "*"
    """Which channel, or a pattern."""


class CallbackDelay(ChannelRule):
    """A callback arrives late."""

    fault: Literal["channel.callback_delay"]
    says: ClassVar[dict[str, str]] = {
        "en": "callbacks of {where} arrive {delay} late",
        "zh": "{where} 的回调晚到 {delay}",
    }
    delay: Duration
    """How late."""


class CallbackLoss(ChannelRule):
    """A callback attempt never arrives; the channel tries again on its schedule."""

    fault: Literal["channel.callback_loss"]
    says: ClassVar[dict[str, str]] = {"en": "callbacks of {where} are lost", "zh": "{where} 的回调丢失"}


class CallbackDuplicate(ChannelRule):
    """A callback arrives several times."""

    fault: Literal["channel.callback_duplicate"]
    says: ClassVar[dict[str, str]] = {
        "en": "callbacks of {where} arrive {copies} more times, {spacing} apart",
        "zh": "{where} 的回调重复 {copies} 次，间隔 {spacing}",
    }
    copies: int = Field(1, ge=1, le=100)
    """How many more."""

    spacing: Duration = 0
    """Between copies; 0 lets them race."""


class CallbackReorder(ChannelRule):
    """Callbacks of one charge overtake each other."""

    fault: Literal["channel.callback_reorder"]
    says: ClassVar[dict[str, str]] = {
        "en": "callbacks of {where} are spread over {spread}",
        "zh": "{where} 的回调乱序，散布在 {spread} 之内",
    }
    spread: Duration
    """Each one is held back up to this long."""


class CallbackForged(ChannelRule):
    """An attacker posts a callback for an open charge."""

    fault: Literal["channel.callback_forged"]
    says: ClassVar[dict[str, str]] = {
        "en": "callbacks in the name of {where} are forged ({forgery})",
        "zh": "有人冒充 {where} 伪造回调（{forgery}）",
    }
    forgery: Literal["signature", "amount", "order", "app", "unpaid"] = "signature"
    """What is wrong: a bad signature, another amount, another order's, another app's, or never paid."""


class CallbackAmount(ChannelRule):
    """The user's payment is captured with another amount than asked."""

    fault: Literal["channel.callback_amount"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} captures {delta_fen:+d} fen",
        "zh": "{where} 实收金额相差 {delta_fen:+d} 分",
    }
    delta_fen: int
    """More, or less if negative."""


class PayAfterClose(ChannelRule):
    """The code can still be paid after the charge was closed."""

    fault: Literal["channel.pay_after_close"]
    says: ClassVar[dict[str, str]] = {
        "en": "codes of {where} are paid {delay} after the close",
        "zh": "{where} 的付款码在关单 {delay} 后仍被支付",
    }
    delay: Duration
    """How long after the close."""


class ChannelResultUnknown(ChannelRule):
    """The answer to create, close, refund or query is lost."""

    fault: Literal["channel.result_unknown"]
    says: ClassVar[dict[str, str]] = {
        "en": "answers of {where} are lost (took effect: {effect})",
        "zh": "{where} 的应答丢失（已生效：{effect}）",
    }
    effect: bool = True
    """Whether the request took effect."""


class QueryLag(ChannelRule):
    """A query says "not paid" for a while after the capture."""

    fault: Literal["channel.query_lag"]
    says: ClassVar[dict[str, str]] = {
        "en": "queries of {where} lag the truth by {lag}",
        "zh": "{where} 的查询结果滞后 {lag}",
    }
    covered_us: ClassVar[dict[str, int]] = {"lag": 240_000_000}
    lag: Duration
    """How long. Documents know of seconds; a seed's variation goes no further than 4 min."""


class ChannelDown(ChannelRule):
    """The channel refuses everything."""

    fault: Literal["channel.down"]
    says: ClassVar[dict[str, str]] = {"en": "{where} is down", "zh": "{where} 宕机"}


CHANNEL_FAULTS = (
    CallbackDelay,
    CallbackLoss,
    CallbackDuplicate,
    CallbackReorder,
    CallbackForged,
    CallbackAmount,
    PayAfterClose,
    ChannelResultUnknown,
    QueryLag,
    ChannelDown,
)
