"""A short soak of the embedded server; the long one is `python -m tests.chaos.live.soak_postgres`."""

from __future__ import annotations

from collections import Counter

from tests.chaos.live.soak_postgres import WALLET_COUNT, play


def test_no_acknowledged_transfer_is_lost_when_the_server_is_struck() -> None:
    """Killed, aborted, cut off: every outcome is true, money is conserved, the log tells each transfer once."""
    result, wrong = play(blows=9, seed=3)
    assert wrong == []
    counts = Counter(outcome.partition(":")[0] for outcome in result.outcomes.values())
    assert counts["acknowledged"] > 10 * WALLET_COUNT
    assert counts["failed"] > 0, "no blow met a transfer"
