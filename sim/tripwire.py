"""A tripwire on ambient time and randomness: inside a simulation they raise instead of spoiling replay.

The module attributes are replaced while a simulation runs, and only calls from the thread that runs it
raise; a progress bar in another thread goes on. A name imported earlier (`from time import time`)
escapes, and so does what C code asks of the operating system: the lint rules are for the former, and
the double run of `doctor` for both.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import secrets
import time
import uuid
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType, TracebackType

_FUNCTIONS: Final[tuple[tuple[ModuleType, tuple[str, ...]], ...]] = (
    (
        time,
        (
            "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time",
            "process_time_ns", "thread_time", "thread_time_ns", "sleep",
        ),
    ),
    (os, ("urandom", "getrandom")),
    (uuid, ("uuid1", "uuid4")),
    (secrets, ("token_bytes", "token_hex", "token_urlsafe", "randbelow", "randbits", "choice")),
    (
        random,
        (
            "seed", "random", "uniform", "triangular", "randint", "choice", "randrange", "sample", "shuffle",
            "choices", "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate", "gammavariate",
            "_urandom", "gauss", "betavariate", "paretovariate", "weibullvariate", "getrandbits", "randbytes",
        ),
    ),
)  # fmt: skip


class AmbientSourceUsed(BaseException):
    """Code inside a simulation asked the machine for the time or for randomness.

    Not an Exception: the code under test must not be able to catch it, so it ends the run.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} was called inside a simulation; use the Clock and Ids ports or sim.randomness"
        )
        self.name = name


class Tripwire:
    """Context manager. Entering again while inside only counts. One simulation at a time in a process."""

    # What is replaced belongs to the process, so this is the one place with state of the class.
    _swaps: ClassVar[list[tuple[ModuleType, str, Any, Any]]] = []  # module, name, original, replacement
    _thread: ClassVar[int] = 0  # the thread whose calls raise; no thread is number 0
    _depth: ClassVar[int] = 0

    def __enter__(self) -> Self:
        cls = Tripwire
        if cls._depth == 0:
            if not cls._swaps:
                cls._swaps = _prepare()
            cls._thread = get_ident()
            for module, name, _, guard in cls._swaps:
                setattr(module, name, guard)
        elif cls._thread != get_ident():
            raise RuntimeError("another thread of this process is running a simulation")
        cls._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cls = Tripwire
        cls._depth -= 1
        if cls._depth == 0:
            cls._thread = 0
            for module, name, original, _ in cls._swaps:
                setattr(module, name, original)

    @classmethod
    def sees_caller(cls) -> bool:
        """Whether the calling thread is the one that runs a simulation."""
        return cls._thread == get_ident()


def _prepare() -> list[tuple[ModuleType, str, Any, Any]]:
    """Everything to replace, found and wrapped once, so that entering only sets attributes."""
    swaps: list[tuple[ModuleType, str, Any, Any]] = []
    for module, names in _FUNCTIONS:
        for name in names:
            original = getattr(module, name, None)  # os.getrandom is not on every system
            if original is not None:
                swaps.append((module, name, original, _guard(original, f"{module.__name__}.{name}")))
    swaps.extend((dt, cls.__name__, cls, _without_present(cls)) for cls in (dt.datetime, dt.date))
    swaps.append((random, "Random", random.Random, _seeded_only(random.Random)))
    return swaps


def _guard(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    def guard(*args: Any, **kwargs: Any) -> Any:
        if Tripwire.sees_caller():
            raise AmbientSourceUsed(name)
        return original(*args, **kwargs)

    return guard


def _stand_in(original: type, construct: Callable[..., Any], members: dict[str, Any]) -> type:
    """A class in place of `original`: values are of the real class and compare as such.

    Only pickling them has to wait until the real class is back, because pickle looks it up by name.
    """

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, original)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, original)

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return construct(*args, **kwargs)

    return Meta(original.__name__, (original,), members)


def _without_present(original: type) -> type:
    """`datetime.datetime` or `datetime.date` that cannot tell the present time."""
    present = ("now", "utcnow", "today") if original is dt.datetime else ("today",)
    where = f"datetime.{original.__name__}"
    guards = {name: staticmethod(_guard(getattr(original, name), f"{where}.{name}")) for name in present}
    return _stand_in(original, original, guards)


def _seeded_only(original: type) -> type:
    """`random.Random` that must be given a seed."""

    def construct(*args: Any, **kwargs: Any) -> Any:
        if not (args or kwargs) and Tripwire.sees_caller():
            raise AmbientSourceUsed("random.Random() without a seed")
        return original(*args, **kwargs)

    return _stand_in(original, construct, {})
