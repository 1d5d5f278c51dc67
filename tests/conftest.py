"""What all tests need."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let Ctrl-C work: a shell starts what it puts into the background with SIGINT ignored, children included."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
