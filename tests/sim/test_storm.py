"""Fair weather."""

from __future__ import annotations

from sim.storm import CALM


def test_calm_strikes_nowhere() -> None:
    """No fault exists, so actors need not even ask."""
    assert not CALM.has("channel.down")
    assert CALM.at("channel.down", "wechat", ("O1/c1",)) is None
