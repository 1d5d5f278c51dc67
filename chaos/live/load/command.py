"""How Locust is started: one process by itself, or its master and workers."""

from __future__ import annotations

import sys
from pathlib import Path

from chaos.live.load.order import ENVIRONMENT

LOCUSTFILE = Path(__file__).with_name("locustfile.py")


def environment(order: Path) -> dict[str, str]:
    """What each of the processes must find in its environment."""
    return {ENVIRONMENT: str(order)}


def alone(csv: Path) -> list[str]:
    """One process that makes all load."""
    return [*_locust(), "--users", "1", "--spawn-rate", "1", *_figures(csv)]


def master(csv: Path, workers: int, port: int) -> list[str]:
    """The process that starts the workers and sums up."""
    users = str(workers)
    waits = ["--expect-workers", users, "--expect-workers-max-wait", "60"]
    bound = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
    return [*_locust(), *bound, *waits, "--users", users, "--spawn-rate", users, *_figures(csv)]


def worker(port: int) -> list[str]:
    """One of the processes that make load for a master."""
    return [*_locust(), "--worker", "--master-host", "127.0.0.1", "--master-port", str(port)]


def _locust() -> list[str]:
    return [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--loglevel", "WARNING"]


def _figures(csv: Path) -> list[str]:
    # Failed requests are the platform's affair, not a failure of the load.
    return ["--csv", str(csv), "--only-summary", "--exit-code-on-error", "0"]
