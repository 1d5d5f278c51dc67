"""The `storm` fixture: one run in the middle of somebody's test, and claims about it that explain themselves.

A claim that nothing in the run could have broken fails: silence proves nothing here either.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chaos import vocabulary
from chaos.checkers.verdict import Verdict
from chaos.history import History
from chaos.pytest_items import load, situations, story, token
from chaos.run import RunResult, run
from chaos.worker import artefacts, dump, line
from scenarios import loading
from scenarios.model import Scenario

_MERGED = ("workload", "timing", "knobs", "expect")
"""Fields of a scenario that are replaced part by part, not as a whole."""

_GIVEN = "scenario given to storm()"


@dataclass(frozen=True)
class StormRun:
    """One run, judged. `result` is all of it; `replay` says what to type to see it again."""

    scenario: Scenario
    design: str
    seed: int
    result: RunResult
    lang: str
    replay: Callable[[], str]

    @property
    def verdicts(self) -> list[Verdict]:
        """What every checker says."""
        return self.result.verdicts

    @property
    def violated(self) -> list[str]:
        """The invariants that were broken."""
        return self.result.violated

    @property
    def met(self) -> list[str]:
        """The situations that occurred (`dingfeng list situations`)."""
        return self.result.met

    @property
    def history(self) -> History:
        """Everything that happened."""
        return self.result.history

    def verdict(self, invariant: str) -> Verdict:
        """The verdict on one invariant. Raises LookupError with the nearest valid name."""
        __tracebackhide__ = True
        for verdict in self.verdicts:
            if verdict.invariant == invariant:
                return verdict
        known = [verdict.invariant for verdict in self.verdicts]
        raise LookupError(f"no invariant {invariant!r}{loading.meant(invariant, known)}")

    def assert_holds(self, *invariants: str) -> None:
        """These invariants hold, or all of them if none is named.

        Undecided is not holding; neither is an invariant by name that nothing in the run concerned,
        nor anything at all under faults that touched nothing.
        """
        __tracebackhide__ = True
        judged = [self.verdict(name) for name in invariants] or self.verdicts
        wrong = [
            f"{one.invariant} {one.outcome} in {one.count} of {one.checked}"
            for one in judged
            if one.outcome != "holds"
        ]
        if invariants and not wrong:
            wrong = [
                f"{one.invariant} proves nothing: nothing in this run concerned it"
                for one in judged
                if not one.checked
            ]
        if not wrong and self.scenario.faults and not any(self.result.touched.values()):
            wrong = ["the storm proves nothing: its faults touched nothing"]
        if wrong:
            raise AssertionError(
                self._explained(wrong, told=any(one.outcome == "violated" for one in judged))
            )

    def assert_violated(self, *invariants: str) -> None:
        """Each of these invariants is broken, at least once; there must be one."""
        __tracebackhide__ = True
        if not invariants:
            raise TypeError("assert_violated() needs the invariants that should be broken")
        judged = [self.verdict(name) for name in invariants]
        wrong = [
            f"{one.invariant} should be violated; it {one.outcome} in {one.checked} cases".replace(
                "it unknown", "it is unknown"
            )
            for one in judged
            if one.outcome != "violated"
        ]
        if wrong:
            raise AssertionError(self._explained(wrong, told=False))

    def story(self, lang: str | None = None) -> str:
        """The worst violation in plain words; empty if nothing was violated."""
        if not self.violated:
            return ""
        return "\n".join(story(self.history, self.verdicts, lang or self.lang))

    def _explained(self, wrong: Sequence[str], *, told: bool) -> str:
        said = [
            f"{self.scenario.name} on {self.design}, seed {self.seed}",
            *(f"  {reason}" for reason in wrong),
        ]
        if told:
            said += ["", self.story()]
        return "\n".join([*said, "", f"  {self.replay()}"])


class Storms:
    """Runs storms for a test. Names are looked up beside the test, in the user's folders, then as shipped."""

    def __init__(
        self, folders: Sequence[Path], beside: Path, directories: pytest.TempPathFactory, lang: str
    ) -> None:
        self._folders = (beside, *folders)
        self._directories = directories
        self._lang = lang

    def __call__(
        self,
        scenario: str | Path | Mapping[str, Any] | Scenario,
        design: str = "resilient",
        seed: int = 1,
        **changes: Any,
    ) -> StormRun:
        """Run it. `changes` replace fields of the scenario: `storm("calm_trade", workload={"orders": 3})`.

        Raises ScenarioError or LookupError: what is wrong, and the nearest valid name.
        """
        __tracebackhide__ = True
        known = vocabulary.design_names()
        if design not in known:
            raise LookupError(
                f"no design {design!r}{loading.meant(design, known)}; `dingfeng list designs` shows all"
            )
        try:
            path, read = self._read(scenario)
            if changes:
                path, read = None, parse(_changed(dump(read), changes))
        except loading.ScenarioError as error:
            raise loading.ScenarioError(str(error)) from None  # here, so that the test's own line is shown
        result = run(read, design, seed)
        return StormRun(
            read, design, seed, result, self._lang, lambda: self._replay(path, read, design, seed, result)
        )

    def _read(self, scenario: str | Path | Mapping[str, Any] | Scenario) -> tuple[Path | None, Scenario]:
        """The scenario, and the file that a replay can read it from."""
        if isinstance(scenario, Scenario):
            return None, scenario
        if isinstance(scenario, Mapping):
            return None, parse(scenario)
        path = self._find(str(scenario))
        return path, load(path)

    def _find(self, name: str) -> Path:
        if "/" in name or name.endswith((".yaml", ".yml")):
            beside = self._folders[0] / name
            return beside if beside.exists() else Path(name)
        for folder in self._folders:
            for suffix in (".storm.yaml", ".yaml", ".yml"):
                if (path := folder / f"{name}{suffix}").is_file():
                    return path
        return loading.find(name)

    def _replay(
        self, path: Path | None, scenario: Scenario, design: str, seed: int, result: RunResult
    ) -> str:
        """A scenario of the test's own is in no file, so its run is kept where pytest keeps such things."""
        if path is not None:
            as_written = "" if seed % 2 else ":plain"  # `replay` would vary the storm with an even seed
            return f"dingfeng replay {token(path, design, seed)}{as_written}"
        kept = self._directories.mktemp(f"storm-{scenario.name}", numbered=True)
        for name, content in artefacts(scenario, line(scenario, design, seed, result), result).items():
            (kept / name).write_bytes(content)
        return f"dingfeng replay {shlex.quote(str(kept))}"


def parse(data: Mapping[str, Any]) -> Scenario:
    """A scenario given as data, checked as if it were a file. Raises ScenarioError without a line number."""
    try:
        text = json.dumps(data, ensure_ascii=False)
    except TypeError as error:
        raise loading.ScenarioError(f"{_GIVEN}: {error}; it must be plain data, as in a file") from error
    try:
        return loading.parse(text, _GIVEN, designs=vocabulary.design_names(), situations=situations())
    except loading.ScenarioError as error:
        raise loading.ScenarioError(str(error).replace(f"{_GIVEN}:1: ", f"{_GIVEN}: ", 1)) from None


def _changed(data: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The scenario's data with some fields replaced, those of `_MERGED` part by part."""
    for name, value in changes.items():
        merge = name in _MERGED and isinstance(value, Mapping)
        data[name] = {**data[name], **value} if merge else value
    return data
