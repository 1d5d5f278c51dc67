"""One run again: by token (the code and scenario of today) or by the plan that a campaign kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
from pydantic import ValidationError

from chaos.nemesis import Plan
from chaos.results import SCHEMA, SIM, ResultsError, read_json
from chaos.run import RunResult, run
from scenarios.model import Scenario


@dataclass(frozen=True)
class Case:
    """All that makes one run, as data. Without `plan` faults are drawn; without `keep` everybody comes."""

    scenario: Scenario
    design: str
    seed: int
    plan: Plan | None = None
    keep: tuple[int, ...] | None = None

    def run(self) -> RunResult:
        """The run; always the same."""
        return run(self.scenario, self.design, self.seed, plan=self.plan, keep=self.keep)

    def key(self) -> str:
        """Equal exactly for cases that are the same data, 16 hex digits."""
        parts = (self.scenario.model_dump(mode="json"), self.design, self.seed, self.plan, self.keep)
        return hashlib.blake2b(msgspec.json.encode(parts, order="deterministic"), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Recorded(Case):
    """A kept run: its scenario as it was then, its plan, and the digest that it came to.

    One that was made on real parts cannot come to the same again, so it has no digest: what is replayed in
    the simulated world is its storm.
    """

    digest: str = ""

    @classmethod
    def read(cls, directory: Path) -> Recorded:
        """From a directory under failures/ or samples/, or one that `shrink` wrote. Raises ResultsError."""
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
            keep = data.get("keep")  # absent in what was written before orders could be left out
            return cls(
                scenario,
                data["design"],
                data["seed"],
                data["plan"],
                None if keep is None else tuple(keep),
                data["digest"] if data.get("world", SIM) == SIM else "",
            )
        except (KeyError, TypeError, ValidationError) as error:
            raise ResultsError(f"{path}: damaged: {error}") from error
