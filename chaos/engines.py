"""Where the runs of a campaign are executed: in this process, or in a pool of them.

Both are `concurrent.futures` executors, and so is a cluster's client.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any


class InProcess(Executor):
    """Runs each task when it is submitted, here."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as any executor, hand it to whoever asks for the result
            future.set_exception(error)
        return future


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _ready() -> None:
    """An empty task: submitting it starts the workers."""


@contextmanager
def local(jobs: int) -> Iterator[Executor]:
    """An executor with `jobs` workers; when the block fails or is interrupted, they are stopped at once."""
    if jobs == 1:
        yield InProcess()
        return
    # Forked workers start in milliseconds with everything imported; elsewhere than on Linux forking is unsafe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_interrupts_to_the_parent)
    pool.submit(_ready).result()
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    pool.shutdown(cancel_futures=True)
