"""One run again: by token (the code and scenario of today) or by the plan that a campaign kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from chaos.results import SCHEMA, ResultsError, read_json
from chaos.run import RunResult, run
from scenarios.model import Scenario


@dataclass(frozen=True)
class Recorded:
    """A kept run: its scenario as it was then, its plan, and the digest that it came to."""

    scenario: Scenario
    design: str
    seed: int
    plan: dict[str, dict[str, Any]]
    digest: str

    @classmethod
    def read(cls, directory: Path) -> Recorded:
        """From a directory under failures/ or samples/. Raises ResultsError."""
        path = directory / "plan.json"
        if (directory / "campaign.json").is_file():
            raise ResultsError(
                f"{directory}: is a whole campaign; name one run under its failures/ or samples/"
            )
        data = read_json(path)
        if data.get("schema") != SCHEMA:
            raise ResultsError(
                f"{path}: written by another version of dingfeng (schema {data.get('schema')}; this one reads {SCHEMA})"
            )
        try:
            scenario = Scenario.model_validate(data["scenario"])
            return cls(scenario, data["design"], data["seed"], data["plan"], data["digest"])
        except (KeyError, ValidationError) as error:
            raise ResultsError(f"{path}: damaged: {error}") from error


def replay_token(scenario: Scenario, design: str, seed: int) -> RunResult:
    """The same run, drawn again from its seed."""
    return run(scenario, design, seed)


def replay_recorded(recorded: Recorded) -> RunResult:
    """The same run by its plan: nothing is drawn, the recorded faults strike again."""
    return run(recorded.scenario, recorded.design, recorded.seed, plan=recorded.plan)
