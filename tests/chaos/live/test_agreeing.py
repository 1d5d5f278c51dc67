"""What is measured before two worlds are compared."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import pytest

from chaos.live import agreeing, probe
from chaos.live.options import Options
from chaos.opening import Opening
from scenarios.model import Scenario
from scenarios.speeds import Speeds
from tests.chaos.worlds import storm


def test_speeds_are_measured_in_fair_weather(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm that loses single requests would lose those with which the idle parts are timed, too."""
    measured: list[Scenario] = []

    class Calm:
        def __init__(self, opening: Opening, *_: Any) -> None:
            measured.append(opening.scenario)

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            """Nothing was started."""

    monkeypatch.setattr(agreeing, "LiveWorld", Calm)
    monkeypatch.setattr(probe, "speeds", lambda _: Speeds())
    stormy = storm({"fault": "link.loss_before", "between": ["users", "edge"]})
    assert agreeing.measured(stormy, "naive", Options(), lambda _: None) == Speeds()
    assert measured == [stormy.model_copy(update={"faults": ()})]
