"""What a counterparty needs of its host: the time, a later call, and a way to post a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from reference_platform.ports import Request


class Timers(Protocol):
    """A clock with calls in the future; `sim.kernel.Kernel` is one."""

    @property
    def now(self) -> int:
        """Microseconds since the host's own zero."""
        ...

    def call_at(self, at_us: int, fn: Callable[..., Any], *args: Any) -> object:
        """Call `fn(*args)` when `now` is `at_us`."""
        ...


class Post(Protocol):
    """Sends a callback to the platform and passes on what came back, None when nothing did.

    The host must call `answered(*args, response)` exactly once, no later than `timeout_us`.
    """

    def __call__(
        self,
        request: Request,
        timeout_us: int,
        key: tuple[str, ...],
        answered: Callable[..., None],
        *args: Any,
    ) -> None:
        """`key` names this delivery for keyed draws; the response is the last argument of `answered`."""
        ...


def post_nowhere(
    request: Request,  # noqa: ARG001
    timeout_us: int,  # noqa: ARG001
    key: tuple[str, ...],  # noqa: ARG001
    answered: Callable[..., None],
    *args: Any,
) -> None:
    """The post of a counterparty that is connected to nobody: every delivery fails."""
    answered(*args, None)
