"""Nodes: what a crash ends, what a pause holds back, and how many requests are served at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sim.kernel import HarnessError, Kernel, NodeDead, sleep
from sim.node import Handler, Incarnation, Node

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 10_000_000


class Asker:
    """The caller of one request; notes the outcome and when it came."""

    def __init__(self, kernel: Kernel, linger_us: int = 0) -> None:
        self.kernel = kernel
        self.linger_us = linger_us
        self.outcomes: list[tuple[object, int]] = []

    def replied(self, response: Any) -> int:
        self.outcomes.append((response, self.kernel.now))
        return self.linger_us

    def refused(self, reason: str) -> None:
        self.outcomes.append((reason, self.kernel.now))

    def dropped(self) -> None:
        self.outcomes.append(("dropped", self.kernel.now))


async def work(us: int) -> str:
    """Serve a request by sleeping as long as it says; 0 answers on the spot."""
    if us:
        await sleep(us)
    return f"slept {us}"


def serving(boot: Callable[[Incarnation], Handler | None] = lambda _: work, **limits: Any) -> Node:
    node = Node(Kernel(), "shop", boot, **limits)
    node.start()
    return node


def ask(node: Node, *requests: int, linger_us: int = 0) -> list[Asker]:
    askers = [Asker(node.kernel, linger_us) for _ in requests]
    for asker, request in zip(askers, requests, strict=True):
        node.serve(request, asker)
    return askers


def outcomes(askers: list[Asker]) -> list[tuple[object, int]]:
    """The outcome of each; there must be exactly one."""
    assert [len(asker.outcomes) for asker in askers] == [1] * len(askers)
    return [asker.outcomes[0] for asker in askers]


# ---------------------------------------------------------------- requests


def test_a_handler_that_never_waits_answers_on_the_spot() -> None:
    """No task is made for it and nothing enters the queue."""
    node = serving()
    assert outcomes(ask(node, 0)) == [("slept 0", 0)]
    assert node.kernel.run_until_idle(0)


def test_requests_wait_for_a_worker_first_come_first_served_and_the_excess_is_refused() -> None:
    """Two workers, two places to wait: the fifth request is turned away at once."""
    node = serving(workers=2, queue_limit=2)
    askers = ask(node, 100, 300, 50, 10, 0)
    node.kernel.run_until(LONG)
    assert outcomes(askers) == [
        ("slept 100", 100),
        ("slept 300", 300),
        ("slept 50", 150),
        ("slept 10", 160),
        ("overloaded", 0),
    ]


def test_service_time_and_slowness_occupy_a_worker() -> None:
    """`service_us` depends on the request, `slow_us` is added to all."""
    node = serving(workers=1, service_us=lambda request: 10 * request)
    node.slow_us = 5
    askers = ask(node, 1, 2)
    node.kernel.run_until(LONG)
    assert outcomes(askers) == [("slept 1", 16), ("slept 2", 43)]


def test_a_lingering_connection_keeps_its_worker() -> None:
    """The reply is not late, but the next request is."""
    node = serving(workers=1)
    askers = ask(node, 10, 10, linger_us=1_000)
    node.kernel.run_until(LONG)
    assert outcomes(askers) == [("slept 10", 10), ("slept 10", 1_020)]


def test_a_long_line_of_quick_requests_is_served_without_recursion() -> None:
    """A thousand waiting requests that answer on the spot do not pile up on the stack."""
    node = serving(workers=1)
    askers = ask(node, 10, *[0] * 5_000)
    node.kernel.run_until(LONG)
    assert outcomes(askers)[-1] == ("slept 0", 10)


def test_a_failing_handler_drops_its_caller_and_the_node_hears_of_it() -> None:
    """At once or after waiting; the worker is free again."""
    heard: list[str] = []

    async def fail(us: int) -> str:
        await work(us)
        raise KeyError(us)

    node = serving(lambda _: fail, workers=1, on_error=lambda task, error: heard.append(f"{task} {error!r}"))
    askers = ask(node, 0, 10, 20)
    node.kernel.run_until(LONG)
    assert outcomes(askers) == [("dropped", 0), ("dropped", 10), ("dropped", 30)]
    assert heard == ["shop/request KeyError(0)", "shop/request KeyError(10)", "shop/request KeyError(20)"]


def test_an_error_ends_the_run_unless_the_node_decides_otherwise() -> None:
    """Background tasks included."""

    def boot(incarnation: Incarnation) -> None:
        async def sweep() -> None:
            await sleep(10)
            raise KeyError("lost")

        incarnation.spawn(sweep(), "sweeper")

    node = serving(boot)
    with pytest.raises(HarnessError, match="shop/sweeper failed"):
        node.kernel.run_until(LONG)


def test_a_node_that_serves_nothing_refuses() -> None:
    """So does one that is not running."""
    node = serving(lambda _: None)
    assert outcomes(ask(node, 1)) == [("refused", 0)]
    node.crash()
    assert outcomes(ask(node, 1)) == [("refused", 0)]


# ---------------------------------------------------------------- crash


def test_nothing_of_a_crashed_node_takes_effect_not_even_its_cleanup() -> None:
    """`finally` blocks run, but every port they reach for raises, which `except Exception` cannot catch."""
    effects: list[str] = []

    def boot(incarnation: Incarnation) -> None:
        async def saga() -> None:
            try:
                await sleep(1_000)
                effects.append("finished")
            except Exception:  # noqa: BLE001 - code under test is like that
                effects.append("caught")
            finally:
                incarnation.clock.now_us()
                effects.append("cleaned up")

        incarnation.spawn(saga(), "saga")

    node = serving(boot)
    node.kernel.run_until(10)
    assert node.crash() == 1
    assert node.kernel.run_until_idle(LONG)
    assert (effects, node.kernel.now, node.alive) == ([], 10, False)


def test_every_port_of_a_dead_incarnation_raises() -> None:
    """Also when somebody still holds on to it."""
    kept: list[Incarnation] = []
    node = serving(kept.append)
    node.restart()
    dead, alive = kept
    for use in (dead.clock.now_us, lambda: dead.clock.sleep(1), lambda: dead.spawn(work(1), "late")):
        with pytest.raises(NodeDead):
            use()
    assert alive.clock.now_us() > 0


def test_a_crash_does_not_touch_requests_already_answered() -> None:
    """Each caller hears exactly once."""
    node = serving()
    askers = ask(node, 10, 0)
    node.kernel.run_until(20)
    node.crash()
    assert outcomes(askers) == [("slept 10", 10), ("slept 0", 0)]


def test_a_crash_drops_every_request_taken_in() -> None:
    """Running, waiting for a worker and in service: their callers see the connection break."""
    node = serving(workers=1, service_us=lambda request: 50 if request == 7 else 0)
    askers = ask(node, 7, 100)
    node.kernel.run_until(10)
    node.crash()
    node.kernel.run_until(LONG)
    assert outcomes(askers) == [("dropped", 10), ("dropped", 10)]


@pytest.mark.parametrize("ending", ["wait", "return", "raise"])
@pytest.mark.parametrize("wait_us", [0, 10])
@pytest.mark.parametrize("service_us", [0, 10])
def test_a_node_that_brings_itself_down_while_serving_answers_nothing(
    service_us: int, wait_us: int, ending: str
) -> None:
    """Before its first wait or after it, and however the handler goes on."""

    async def handler(_: int) -> str:
        await work(wait_us)
        node.crash()
        if ending == "wait":
            await sleep(5)
        if ending == "raise":
            raise KeyError
        return "never"

    node = serving(lambda _: handler, service_us=lambda _: service_us)
    askers = ask(node, 1)
    assert node.kernel.run_until_idle(LONG)
    assert outcomes(askers) == [("dropped", wait_us + service_us)]


def test_crash_hooks_run_once_before_the_tasks_are_closed() -> None:
    """So the database has given up the node's transactions when their cleanup runs."""
    order: list[str] = []

    def boot(incarnation: Incarnation) -> None:
        async def task(name: str) -> None:
            try:
                await sleep(100)
            finally:
                order.append(name)

        incarnation.on_crash.append(lambda: order.append("hook"))
        incarnation.spawn(task("first"), "first")
        incarnation.spawn(task("second"), "second")

    node = serving(boot)
    node.kernel.run_until(10)
    node.crash()
    assert order == ["hook", "first", "second"]


def test_restart_boots_the_software_anew() -> None:
    """With a fresh incarnation and the same clock; starting what runs is an error."""
    lives: list[int] = []
    node = serving(lambda incarnation: lives.append(incarnation.node.lives))
    node.clock.skew(500)
    node.restart()
    assert (lives, node.lives, node.clock.offset_us) == ([1, 2], 2, 500)
    with pytest.raises(HarnessError, match="running already"):
        node.start()


# ---------------------------------------------------------------- pause


def test_a_pause_holds_wake_ups_and_requests_back_in_order() -> None:
    """The world goes on meanwhile; everything overdue happens at the moment of resuming, in order."""
    seen: list[tuple[str, int]] = []

    def boot(incarnation: Incarnation) -> Handler:
        async def tick(name: str, us: int) -> None:
            while True:
                await incarnation.clock.sleep(us)
                seen.append((name, incarnation.node.kernel.now))

        incarnation.spawn(tick("slow", 150), "slow")
        incarnation.spawn(tick("fast", 100), "fast")
        return work

    node = serving(boot)
    kernel = node.kernel
    kernel.run_until(50)
    assert node.pause() == 2
    askers = ask(node, 0, 20)
    kernel.run_until(400)
    assert (seen, node.paused, node.alive) == ([], True, True)
    assert node.resume() == 4  # two requests, then two wake-ups
    kernel.run_until(520)
    assert outcomes(askers) == [("slept 0", 400), ("slept 20", 420)]
    assert seen == [("fast", 400), ("slow", 400), ("fast", 500)]


def test_service_that_ends_in_a_pause_goes_on_afterwards() -> None:
    """Also a task spawned and a task cancelled in the same microsecond."""
    node = serving(service_us=lambda _: 10)
    askers = ask(node, 0)
    node.pause()
    node.kernel.run_until(100)
    assert askers[0].outcomes == []
    node.resume()
    node.kernel.run_until(100)
    assert outcomes(askers) == [("slept 0", 100)]


def test_a_task_cancelled_during_a_pause_learns_of_it_afterwards() -> None:
    """Its coroutine does not run while the node stands still."""
    tasks: list[Any] = []
    node = serving(lambda incarnation: tasks.append(incarnation.spawn(work(1_000), "task")))
    node.kernel.run_until(10)
    node.pause()
    tasks[0].cancel()
    node.kernel.run_until(50)
    assert not tasks[0].done
    node.resume()
    node.kernel.run_until(60)
    assert tasks[0].done


def test_a_paused_node_that_is_killed_drops_what_it_held() -> None:
    """Requests that came in during the pause included; the next life is not paused."""
    node = serving()
    node.pause()
    askers = ask(node, 5)
    node.kernel.run_until(20)
    node.restart()
    assert outcomes(askers) == [("dropped", 20)]
    assert outcomes(ask(node, 0)) == [("slept 0", 20)]
    node.kernel.run_until(LONG)


def test_a_node_killed_at_the_moment_it_is_resumed_drops_each_caller_once() -> None:
    """What the pause held back is on its way to a dead incarnation then."""
    node = serving()
    node.pause()
    askers = ask(node, 5, 0)
    node.resume()
    node.crash()
    node.kernel.run_until(LONG)
    assert outcomes(askers) == [("dropped", 0)] * 2


def test_requests_refused_after_a_pause_are_over() -> None:
    """The line behind the only worker was full: a later crash does not concern them."""
    node = serving(workers=1, queue_limit=1)
    node.pause()
    askers = ask(node, 50, 50, 50)
    node.kernel.run_until(10)
    node.resume()
    node.kernel.run_until(20)
    node.crash()
    assert outcomes(askers) == [("dropped", 20), ("dropped", 20), ("overloaded", 10)]
