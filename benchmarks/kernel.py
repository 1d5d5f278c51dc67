"""Awaits a second: the kernel's coroutines against plain SimPy processes, alternately in one process.

    python -m benchmarks.kernel [--rounds N] [--json]

A ratio of two runs next to each other depends little on the machine and on what else it does, so each
round runs both, in turns as to who goes first, and the median of the rounds' ratios counts.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import simpy

from sim.kernel import Future, Kernel, sleep

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

TASKS = 200
AWAITS = 500  # of each task


def few_times(number: int, turn: int) -> int:
    """Short sleeps, so that many wake-ups fall on the same microsecond."""
    return 10 + (number * 7 + turn * 3) % 13


def scattered_times(number: int, turn: int) -> int:
    """Long sleeps, so that hardly two wake-ups fall on the same microsecond: the kernel's worst case."""
    return 10 + (number * 7919 + turn * 3137) % 100003


def sleeps_in_simpy(duration_us: Callable[[int, int], int]) -> int:
    """Processes that do nothing but sleep."""
    env = simpy.Environment()

    def sleeper(number: int) -> Generator[simpy.Event, Any, None]:
        for turn in range(AWAITS):
            yield env.timeout(duration_us(number, turn))

    for number in range(TASKS):
        env.process(sleeper(number))
    env.run()
    return TASKS * AWAITS


def sleeps_in_kernel(duration_us: Callable[[int, int], int]) -> int:
    """Coroutines that do the same."""
    kernel = Kernel()

    async def sleeper(number: int) -> None:
        for turn in range(AWAITS):
            await sleep(duration_us(number, turn))

    for number in range(TASKS):
        kernel.spawn(sleeper(number))
    kernel.run_until_idle(1 << 40)
    return TASKS * AWAITS


def replies_in_simpy() -> int:
    """Clients that start a server process for each request and wait for its reply, an event."""
    env = simpy.Environment()

    def serve(reply: simpy.Event) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(10)
        reply.succeed("done")

    def client() -> Generator[simpy.Event, Any, None]:
        for _ in range(AWAITS // 2):
            reply = env.event()
            env.process(serve(reply))
            yield reply

    for _ in range(TASKS):
        env.process(client())
    env.run()
    return TASKS * AWAITS


def replies_in_kernel() -> int:
    """Coroutines that do the same, with a future for the reply."""
    kernel = Kernel()

    async def serve(reply: Future) -> None:
        await sleep(10)
        reply.set("done")

    async def client() -> None:
        for _ in range(AWAITS // 2):
            reply = Future(kernel)
            kernel.spawn(serve(reply))
            await reply

    for _ in range(TASKS):
        kernel.spawn(client())
    kernel.run_until_idle(1 << 40)
    return TASKS * AWAITS


CASES: dict[str, tuple[Callable[[], int], Callable[[], int]]] = {
    "sleep, few times": (partial(sleeps_in_simpy, few_times), partial(sleeps_in_kernel, few_times)),
    "sleep, scattered": (
        partial(sleeps_in_simpy, scattered_times),
        partial(sleeps_in_kernel, scattered_times),
    ),
    "request and reply": (replies_in_simpy, replies_in_kernel),
}


def rate(run: Callable[[], int]) -> float:
    """Awaits a second of one run. Garbage of the run before is not charged to it."""
    gc.collect()
    start = perf_counter()
    awaits = run()
    return awaits / (perf_counter() - start)


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """For each case the medians over all rounds: both rates, and the ratio of the two runs of a round."""
    results: dict[str, dict[str, float]] = {}
    for case, (plain, ours) in CASES.items():
        pairs = []
        for number in range(rounds):
            if number % 2:
                second = rate(ours)
                pairs.append((rate(plain), second))
            else:
                first = rate(plain)
                pairs.append((first, rate(ours)))
        results[case] = {
            "simpy_awaits_per_s": statistics.median(first for first, _ in pairs),
            "kernel_awaits_per_s": statistics.median(second for _, second in pairs),
            "ratio": statistics.median(second / first for first, second in pairs),
        }
    return results


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; a table, or JSON with `--json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9, help="pairs of runs a case")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    results = measure(options.rounds)
    if options.json:
        print(json.dumps({"benchmark": "kernel", "rounds": options.rounds, "cases": results}))
        return 0
    print(f"{'awaits a second':<20}{'SimPy':>12}{'kernel':>12}{'ratio':>8}")
    for case, row in results.items():
        plain, ours = row["simpy_awaits_per_s"], row["kernel_awaits_per_s"]
        print(f"{case:<20}{plain:>12,.0f}{ours:>12,.0f}{row['ratio']:>8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
