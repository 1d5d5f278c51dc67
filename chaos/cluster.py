"""Campaigns on a Dask cluster: its scheduler hands out batches, a process of our own beside each worker runs them.

A run needs a process to itself: it swaps the clock and the collector of the interpreter and takes its time
limit from a signal, none of which suits the threads of a Dask worker. The process is this module, started by the
worker's first batch; it ends when its standard input does, so with the worker.
"""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Any

from chaos.engines import Engine, EngineBroke, EngineError, settle
from chaos.versions import differing, versions

TIMEOUT_S = 5
"""How long to wait for the scheduler to answer, and then for a first worker."""

_LENGTH = 8


@contextmanager
def dask_engine(url: str) -> Iterator[Engine]:
    """The executor of a cluster whose workers run the same code as we do. Raises EngineError."""
    try:
        from distributed import Client
        from distributed.client import ClosedClientError
    except ModuleNotFoundError as error:
        raise EngineError(f"{url}: needs Dask; install it with: pip install 'dingfeng[cluster]'") from error
    address = "tcp://" + url.removeprefix("dask://").rstrip("/")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        connect: Any = Client  # it has no types
        client = connect(address, timeout=TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineError(f"{url}: no Dask scheduler answers there: {error}") from error
    try:
        workers = _fit_workers(client, url)
        executor = client.get_executor(pure=False)

        def stop() -> None:
            with suppress(ClosedClientError):  # the scheduler is gone, and with it what could be cancelled
                executor.shutdown(wait=False)
            client.close(timeout=1)

        yield Engine(partial(executor.submit, in_own_process), workers, stop)
    finally:
        client.close(timeout=1)


def _fit_workers(client: Any, url: str) -> int:
    """How many batches the cluster runs at a time, once every worker has shown that it runs our code."""
    try:
        client.wait_for_workers(1, timeout=TIMEOUT_S)
    except TimeoutError as error:
        hint = f"dask worker {client.scheduler.address} --nthreads 1"
        raise EngineError(f"{url}: the scheduler has no workers; start one with: {hint}") from error
    for worker, theirs in client.run(versions, on_error="return").items():
        if not isinstance(theirs, dict):
            raise EngineError(f"{url}: worker {worker} cannot run dingfeng: {theirs}")
        if wrong := differing(theirs):
            raise EngineError(f"{url}: worker {worker} is not like us: {'; '.join(wrong)}")
    return sum(client.nthreads().values())


# ---------------------------------------------------------------- on the worker


_own = threading.local()


def in_own_process(task: Callable[..., Any], *args: Any) -> Any:
    """What `task(*args)` returns, run in the process that belongs to this thread of a Dask worker."""
    process = getattr(_own, "process", None)
    if process is None or process.poll() is not None:
        command = [sys.executable, "-m", "chaos.cluster"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        _own.process = process
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _write(process.stdin, (task, args))
        answer, error = _read(process.stdout)
    except (EOFError, OSError) as gone:
        raise EngineBroke(f"the process that ran the batch ended with {process.wait()}") from gone
    if error is not None:
        raise EngineBroke(error)
    return answer


def _write(stream: IO[bytes], message: Any) -> None:
    content = pickle.dumps(message)
    stream.write(len(content).to_bytes(_LENGTH, "big") + content)
    stream.flush()


def _read(stream: IO[bytes]) -> Any:
    head = stream.read(_LENGTH)
    if len(head) < _LENGTH:
        raise EOFError
    return pickle.loads(stream.read(int.from_bytes(head, "big")))  # noqa: S301 - from our own parent or child


def _serve() -> None:
    """Run tasks from standard input until it ends. What a task prints goes to standard error."""
    stream, sys.stdout = sys.stdout.buffer, sys.stderr
    import chaos.run  # noqa: F401 - before memory is settled

    settle()
    while True:
        try:
            task, args = _read(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer: Any = (task(*args), None)
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            answer = (None, f"{type(error).__name__}: {error}")
        _write(stream, answer)


if __name__ == "__main__":
    _serve()
