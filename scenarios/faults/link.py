"""Faults of the network. Names and meaning of the first seven are Toxiproxy's.

A link is an ordered pair, the caller first: `[platform-*, wechat]` carries queries and refunds,
`[wechat, edge]` carries callbacks. Cutting a channel off takes a rule for each.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from scenarios.durations import Duration
from scenarios.faults.rule import Rule

ARROW = "->"
DATABASES = ("database", "replica")
"""Ends at which sessions are streams: no single message of theirs is lost, doubled or late by itself."""


class LinkRule(Rule):
    window: ClassVar[bool] = True
    between: tuple[str, str]
    """Caller and callee: users, edge, platform-1 or platform-*, database, replica, a channel, a supplier."""

    def where(self) -> str:
        return ARROW.join(self.between)

    @classmethod
    def places(cls) -> tuple[str, ...]:
        return ("between",)

    def params(self) -> dict[str, Any]:
        """As for any rule, and the two ends, which a window fault acts on."""
        return {"between": list(self.between), **super().params()}


class LinkStreamRule(LinkRule):
    """Shapes what flows, one way or both. Who cuts a link, or strikes one message, says the way by its name."""

    stream: Literal["up", "down", "both"] = "both"
    """Which way is hit: `up` towards the callee, `down` back to the caller."""


class LinkMessageRule(LinkRule):
    """Strikes single messages rather than holding for a while; never those of a database session."""

    window: ClassVar[bool] = False
    done: ClassVar[str]
    """What becomes of the message, in a word."""


class Latency(LinkStreamRule):
    """Everything on the link takes longer."""

    fault: Literal["link.latency"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} is slower by {latency} ± {jitter}",
        "zh": "{where} 变慢 {latency} ± {jitter}",
    }
    latency: Duration
    """Added to each message."""

    jitter: Duration = 0
    """Drawn for each message, up to this much more or less."""


class Bandwidth(LinkStreamRule):
    """The link carries only so much."""

    fault: Literal["link.bandwidth"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} carries at most {rate_kb_s} KB/s",
        "zh": "{where} 带宽只有 {rate_kb_s} KB/s",
    }
    rate_kb_s: int = Field(ge=1)
    """Kilobytes a second."""


class SlowClose(LinkStreamRule):
    """Connections take long to close, so they stay in use."""

    fault: Literal["link.slow_close"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} closes connections {delay} late",
        "zh": "{where} 的连接晚 {delay} 才关闭",
    }
    delay: Duration
    """How late."""


class Timeout(LinkStreamRule):
    """Nothing comes through any more; after a while the connection is closed."""

    fault: Literal["link.timeout"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} swallows everything and closes after {timeout}",
        "zh": "{where} 吞掉所有数据，{timeout} 后断开",
    }
    timeout: Duration
    """Until the connection is closed; 0 leaves it open for ever."""


class ResetPeer(LinkStreamRule):
    """Connections are reset."""

    fault: Literal["link.reset_peer"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} resets connections after {timeout}",
        "zh": "{where} 的连接在 {timeout} 后被重置",
    }
    timeout: Duration = 0
    """How long after it was opened."""


class Slicer(LinkStreamRule):
    """Data trickles in small slices."""

    fault: Literal["link.slicer"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} sends slices of {average_size} bytes, {delay} apart",
        "zh": "{where} 把数据切成 {average_size} 字节的小段，间隔 {delay}",
    }
    average_size: int = Field(ge=1)
    """Bytes of a slice."""

    size_variation: int = Field(0, ge=0)
    """Bytes by which a slice may differ."""

    delay: Duration = 0
    """Between slices."""


class LimitData(LinkStreamRule):
    """A connection is cut after so many bytes."""

    fault: Literal["link.limit_data"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} is cut after {bytes} bytes",
        "zh": "{where} 传 {bytes} 字节后被切断",
    }
    bytes: int = Field(ge=0)
    """Bytes that still come through."""


class Down(LinkRule):
    """Nobody can connect."""

    fault: Literal["link.down"]
    says: ClassVar[dict[str, str]] = {"en": "{where} refuses connections", "zh": "{where} 拒绝连接"}


class Partition(LinkRule):
    """Packets vanish, with no word to either side."""

    fault: Literal["link.partition"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} is cut (one way: {oneway})",
        "zh": "{where} 中断（单向：{oneway}）",
    }
    oneway: bool = False
    """Cut only from caller to callee, so that answers to nothing still travel back."""


class LossBefore(LinkMessageRule):
    """A request is lost before it took effect."""

    done = "lost"
    fault: Literal["link.loss_before"]
    says: ClassVar[dict[str, str]] = {"en": "requests on {where} are lost", "zh": "{where} 上的请求丢失"}


class LossAfter(LinkMessageRule):
    """The answer is lost: the request took effect and the caller cannot know."""

    done = "lost"
    fault: Literal["link.loss_after"]
    says: ClassVar[dict[str, str]] = {"en": "answers on {where} are lost", "zh": "{where} 上的应答丢失"}


class Duplicate(LinkMessageRule):
    """A request arrives twice."""

    done = "doubled"
    fault: Literal["link.duplicate"]
    says: ClassVar[dict[str, str]] = {
        "en": "requests on {where} arrive twice",
        "zh": "{where} 上的请求到达两次",
    }


class Reorder(LinkMessageRule):
    """A request is held back, so that later ones overtake it."""

    done = "overtaken"
    fault: Literal["link.reorder"]
    says: ClassVar[dict[str, str]] = {
        "en": "requests on {where} are held back {delay}",
        "zh": "{where} 上的请求被压后 {delay}",
    }
    delay: Duration
    """How long it is held."""


LINK_FAULTS = (
    Latency,
    Bandwidth,
    SlowClose,
    Timeout,
    ResetPeer,
    Slicer,
    LimitData,
    Down,
    Partition,
    LossBefore,
    LossAfter,
    Duplicate,
    Reorder,
)
