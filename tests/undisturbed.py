"""Measuring what a busy machine can only lengthen or blur: one clean measurement is proof, so there are a few tries.

What must hold in every try is asserted in the measurement itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
TRIES = 10


def undisturbed(measured: Callable[[], T], clean: Callable[[T], bool]) -> T:
    """The first clean measurement of at most ten, else the last one."""
    found = measured()
    for _ in range(TRIES - 1):
        if clean(found):
            break
        found = measured()
    return found


async def undisturbed_in_loop(measured: Callable[[], Awaitable[T]], clean: Callable[[T], bool]) -> T:
    """`undisturbed`, for a coroutine."""
    found = await measured()
    for _ in range(TRIES - 1):
        if clean(found):
            break
        found = await measured()
    return found
