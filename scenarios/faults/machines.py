"""Faults of the machines: platform nodes and their database."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from scenarios.durations import Duration, Offset
from scenarios.faults.rule import Rule

ACTING = "acting"


class NodeRule(Rule):
    window: ClassVar[bool] = True
    place: ClassVar[str] = "node"
    node: str = "platform-*"
    """platform-1, platform-*, or `acting`: the node whose event in `on` set it off."""


class MachineRule(NodeRule):
    """Any machine can be hit: a platform node, or that of a channel or supplier, by its name."""


class DatabaseRule(Rule):
    window: ClassVar[bool] = True

    def where(self) -> str:
        return "database"

    @classmethod
    def places(cls) -> tuple[str, ...]:
        return ()


class NodeCrash(MachineRule):
    """The node dies with all its memory and comes back from its durable state. A channel's or supplier's has its books."""

    fault: Literal["node.crash"]
    recurs: ClassVar[bool] = True
    says: ClassVar[dict[str, str]] = {
        "en": "{where} crashes and is back after {restart_after}",
        "zh": "{where} 崩溃，{restart_after} 后重启",
    }
    restart_after: Duration = 30_000_000
    """Time until it boots again."""


class NodePause(MachineRule):
    """The node stands still while the world goes on (garbage collection, a stalled disk, a frozen VM)."""

    fault: Literal["node.pause"]
    recurs: ClassVar[bool] = True
    says: ClassVar[dict[str, str]] = {"en": "{where} freezes for {duration}", "zh": "{where} 假死 {duration}"}
    duration: Duration
    """How long."""


class NodeClockSkew(NodeRule):
    """The node's clock is wrong."""

    fault: Literal["node.clock_skew"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where}'s clock is off by {offset}",
        "zh": "{where} 的时钟偏差 {offset}",
    }
    offset: Offset
    """Ahead, or behind if negative."""


class NodeSlow(NodeRule):
    """The node does everything slower."""

    fault: Literal["node.slow"]
    says: ClassVar[dict[str, str]] = {
        "en": "{where} is {factor:g} times slower",
        "zh": "{where} 慢到原来的 {factor:g} 倍",
    }
    factor: float = Field(gt=1)
    """How many times slower."""


class DatabaseLatency(DatabaseRule):
    """Every statement takes longer."""

    fault: Literal["database.latency"]
    says: ClassVar[dict[str, str]] = {
        "en": "each database statement takes {extra} longer",
        "zh": "每条数据库语句多用 {extra}",
    }
    extra: Duration
    """Added to each statement."""


class DatabaseDropConnections(DatabaseRule):
    """Every session is killed: what was in flight is rolled back."""

    fault: Literal["database.drop_connections"]
    recurs: ClassVar[bool] = True
    says: ClassVar[dict[str, str]] = {"en": "all database sessions are killed", "zh": "数据库连接全部被断开"}


class DatabaseLostCommitAck(DatabaseRule):
    """The connection breaks after commit was sent: it may have happened."""

    fault: Literal["database.lost_commit_ack"]
    window: ClassVar[bool] = False
    says: ClassVar[dict[str, str]] = {
        "en": "the answer to a commit is lost (committed: {applied})",
        "zh": "提交的应答丢失（已提交：{applied}）",
    }
    applied: bool = True
    """Whether the commit did happen."""


class DatabaseCrash(DatabaseRule):
    """The server dies and comes back with what was committed."""

    fault: Literal["database.crash"]
    recurs: ClassVar[bool] = True
    says: ClassVar[dict[str, str]] = {
        "en": "the database crashes and is back after {restart_after}",
        "zh": "数据库崩溃，{restart_after} 后恢复",
    }
    restart_after: Duration = 30_000_000
    """Time until it accepts connections again."""

    how: Literal["killed", "stopped"] = "killed"
    """`killed` is SIGKILL to all its processes, `stopped` an immediate stop; both lose what was not committed."""


class DatabaseFailover(DatabaseRule):
    """The replica takes over."""

    fault: Literal["database.failover"]
    says: ClassVar[dict[str, str]] = {
        "en": "the replica takes over (unreplicated tail lost: {lose_tail})",
        "zh": "从库接管（未复制的尾部丢失：{lose_tail}）",
    }
    lose_tail: bool = True
    """Whether commits that had not reached an asynchronous replica are lost."""


class DatabaseReplicaLag(DatabaseRule):
    """The replica shows the past."""

    fault: Literal["database.replica_lag"]
    says: ClassVar[dict[str, str]] = {"en": "the replica lags by {lag}", "zh": "从库延迟 {lag}"}
    lag: Duration
    """How far behind."""


class DatabaseSlowDisk(DatabaseRule):
    """Commits take longer."""

    fault: Literal["database.slow_disk"]
    says: ClassVar[dict[str, str]] = {
        "en": "commits take {factor:g} times as long",
        "zh": "提交耗时变为 {factor:g} 倍",
    }
    factor: float = Field(gt=1)
    """How many times as long."""


class DatabaseDiskFull(DatabaseRule):
    """Nothing can be written."""

    fault: Literal["database.disk_full"]
    says: ClassVar[dict[str, str]] = {"en": "the database's disk is full", "zh": "数据库磁盘写满"}


class DatabasePoolExhausted(DatabaseRule):
    """Only few connections are left for each node."""

    fault: Literal["database.pool_exhausted"]
    says: ClassVar[dict[str, str]] = {
        "en": "each node has only {size} database connections",
        "zh": "每个节点只剩 {size} 个数据库连接",
    }
    size: int = Field(1, ge=0)
    """Connections left."""


MACHINE_FAULTS = (
    NodeCrash,
    NodePause,
    NodeClockSkew,
    NodeSlow,
    DatabaseLatency,
    DatabaseDropConnections,
    DatabaseLostCommitAck,
    DatabaseCrash,
    DatabaseFailover,
    DatabaseReplicaLag,
    DatabaseSlowDisk,
    DatabaseDiskFull,
    DatabasePoolExhausted,
)
