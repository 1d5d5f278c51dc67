"""Where the runs of a campaign are executed: in this process, in a pool of them, or on a Dask cluster.

All three are `concurrent.futures` executors; the campaign knows no more of them than this.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

LOCAL = "local"


class EngineError(Exception):
    """The engine cannot be had. The message says why and what to do."""


class EngineBroke(Exception):
    """A worker or a scheduler went away in the middle. What was written stays."""


@dataclass(frozen=True)
class Engine:
    """How to submit a task, how many run at a time, and how to stop without waiting for them."""

    submit: Callable[..., Future[Any]]
    workers: int
    stop: Callable[[], None]


@contextmanager
def engine(name: str, jobs: int) -> Iterator[Engine]:
    """The engine of this name: `local`, or `dask://host:port`. Raises EngineError.

    Leaving the block waits for what is being run; failing in it stops everything at once.
    """
    if name == LOCAL:
        opened = _in_process() if jobs == 1 else _pool(jobs)
    elif name.startswith("dask://"):
        from chaos.cluster import dask_engine

        opened = dask_engine(name)
    else:
        raise EngineError(f"no engine {name!r}; there are {LOCAL!r} and dask://HOST:PORT")
    with opened as ready:
        try:
            yield ready
        except BaseException:
            ready.stop()
            raise


class InProcess(Executor):
    """Runs each task when it is submitted, here."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as any executor, hand it to whoever asks for the result
            future.set_exception(error)
        return future


@contextmanager
def _in_process() -> Iterator[Engine]:
    settle()
    try:
        yield Engine(InProcess().submit, 1, lambda: None)
    finally:
        gc.unfreeze()


@contextmanager
def _pool(jobs: int) -> Iterator[Engine]:
    # Forked workers start in milliseconds with everything imported; elsewhere than on Linux forking is unsafe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    others = multiprocessing.active_children()
    settle()  # before forking: workers then share these pages for good
    try:
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_worker)
        pool.submit(_ready).result()
    finally:
        gc.unfreeze()
    workers = [child for child in multiprocessing.active_children() if child not in others]

    def stop() -> None:
        # Ended first, then waited for: a pool that still closes while Python exits trips over itself.
        for worker in workers:
            worker.terminate()
        pool.shutdown(cancel_futures=True)

    yield Engine(pool.submit, jobs, stop)
    pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    """Leave interrupts to the parent, and end with it, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def settle() -> None:
    """What was imported stays for good: the collector need never look at it again."""
    gc.collect()
    gc.freeze()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _ready() -> None:
    """An empty task: submitting it starts the workers."""
