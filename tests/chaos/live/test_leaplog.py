from __future__ import annotations

import pytest

from chaos.live.leaplog import LeapLog


def _log(monkeypatch: pytest.MonkeyPatch, *moved: tuple[int, int]) -> LeapLog:
    """(real, run) at the beginning and after each leap."""
    log = LeapLog()
    for real_us, run_us in moved:
        monkeypatch.setattr("chaos.live.leaplog.time.time_ns", lambda real_us=real_us: real_us * 1000)
        log.note(lambda run_us=run_us: run_us)  # type: ignore[misc]
    return log


@pytest.mark.parametrize(
    ("real_us", "run_us"), [(900, 0), (1000, 0), (1400, 400), (1999, 999), (2000, 50_000), (2500, 50_500)]
)
def test_between_leaps_run_time_goes_with_the_walls(
    monkeypatch: pytest.MonkeyPatch, real_us: int, run_us: int
) -> None:
    """Begun at 1000, leapt at 2000 to 50000; before the beginning there is only zero."""
    assert _log(monkeypatch, (1000, 0), (2000, 50_000)).to_run_us(real_us) == run_us


def test_a_correction_of_the_walls_clock_does_not_turn_time_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall's clock was put forward between two leaps: what it stamped stays before the second one."""
    log = _log(monkeypatch, (1000, 0), (90_000, 500))
    assert log.to_run_us(1400) == 400
    assert log.to_run_us(89_999) == 500
    assert log.to_run_us(90_001) == 501
