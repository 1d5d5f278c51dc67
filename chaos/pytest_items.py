"""What a scenario file holds for pytest: an item for each design that the scenario is put to.

All seeds of a scenario on a design are one item, because an expected violation or a situation that
must occur is a statement about the seeds together. Judged as `dingfeng run` judges (`chaos.tally`):
only what holds, or fails exactly as expected, passes; inconclusive is a failure, never a skip.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from chaos import vocabulary
from chaos.pytest_results import keep, kept_separately
from chaos.swarm import run_seed as run
from chaos.tally import EXITS, Cell, Exit
from chaos.worker import Batch, run_batch
from scenarios import loading
from scenarios.model import Scenario

DEFAULT_SEEDS = 20


@dataclass(frozen=True)
class Settings:
    """What command line and ini file ask for. `designs`: none means those that a scenario names."""

    seeds: Sequence[int]
    designs: tuple[str, ...]
    lang: str


_settings = pytest.StashKey[Settings]()
_seen = pytest.StashKey[dict[str, Path]]()


def settings(config: pytest.Config) -> Settings:
    """The settings of this session, read once. Raises UsageError with the nearest valid name."""
    if _settings not in config.stash:
        lang = config.option.dingfeng_lang or config.getini("dingfeng_lang") or "en"
        if lang not in {"en", "zh"}:
            raise pytest.UsageError(f"dingfeng_lang: {lang!r} is neither en nor zh")
        config.stash[_settings] = Settings(_seeds(config), _designs(config), lang)
    return config.stash[_settings]


def _seeds(config: pytest.Config) -> Sequence[int]:
    """The command line before the ini file; in either, one seed before a number of seeds."""
    option = config.option
    if option.dingfeng_seed is not None:
        return (option.dingfeng_seed,)
    if option.dingfeng_seeds is not None:
        return range(1, option.dingfeng_seeds + 1)
    one, many = config.getini("dingfeng_seed"), config.getini("dingfeng_seeds")
    for name, text, least in (("dingfeng_seed", one, 0), ("dingfeng_seeds", many, 1)):
        if text and not (text.isdecimal() and int(text) >= least):
            raise pytest.UsageError(f"{name}: {text!r} is no number of at least {least}")
    return (int(one),) if one else range(1, int(many or DEFAULT_SEEDS) + 1)


def _designs(config: pytest.Config) -> tuple[str, ...]:
    wanted = config.option.dingfeng_design or config.getini("dingfeng_designs")
    known = vocabulary.design_names()
    for name in wanted:
        if name not in known:
            raise pytest.UsageError(
                f"no design {name!r}{loading.meant(name, known)}; `dingfeng list designs` shows all"
            )
    return tuple(name for name in known if name in wanted)


def storms_in(file: pytest.File) -> Iterator[StormItem]:
    """The items of a scenario file. Raises CollectError: file, line, field, the nearest valid name."""
    try:
        chosen = settings(file.config)
        scenario = load(file.path)
    except (loading.ScenarioError, pytest.UsageError) as error:
        raise file.CollectError(str(error)) from error
    _refuse_namesake(file, scenario)
    known = vocabulary.design_names()
    designs = chosen.designs or tuple(name for name in known if name in scenario.expect)
    if not designs:
        raise file.CollectError(
            f"{file.nodeid}: no design under `expect`; say which to run with --dingfeng-design"
        )
    for design in designs:
        yield StormItem.from_parent(file, name=design, scenario=scenario)


def _refuse_namesake(file: pytest.File, scenario: Scenario) -> None:
    """A results directory knows a scenario by its name, so there can be one of each."""
    if not kept_separately(file.config):
        return
    other = file.config.stash.setdefault(_seen, {}).setdefault(scenario.name, file.path)
    if other != file.path:
        raise file.CollectError(
            f"{file.nodeid}: another scenario is named {scenario.name!r} too ({other}); "
            "--dingfeng-out keeps only one of a name"
        )


def load(path: Path) -> Scenario:
    """A scenario file of the user's, with every name in it checked. Raises ScenarioError."""
    return loading.load(path, designs=vocabulary.design_names(), situations=situations())


@cache
def situations() -> tuple[str, ...]:
    """What a scenario can name under `sometimes`."""
    return tuple(entry.name for entry in vocabulary.situations("en"))


class StormFailed(Exception):
    """A storm did not end as it should. `reason` is one line, the message all that a person needs."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class StormItem(pytest.Item):
    """One scenario on one design, over all seeds of the session."""

    def __init__(self, *, scenario: Scenario, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scenario = scenario
        self.design = self.name
        self.add_marker("storm")
        self.extra_keyword_matches.update({scenario.name, *scenario.catalogue, *scenario.races})

    def runtest(self) -> None:
        cell = Cell(self.scenario, self.design)
        patience = 1 if self.config.getoption("maxfail") == 1 and not cell.expects_violations else None
        batch = Batch(
            self.scenario, self.design, settings(self.config).seeds, {}, sample=True, failures=patience
        )
        outcome = run_batch(run, batch)
        cell.merge(outcome.counts)
        keep(self.config, batch, outcome, loading.reference(self.path))
        ended, reasons = cell.outcome()
        self.user_properties += [("dingfeng_outcome", ended), ("dingfeng_runs", cell.runs)]
        if EXITS[ended] is not Exit.HOLDS or ended == "not run":
            raise StormFailed(f"{ended}: {'; '.join(reasons)}", self._told(cell, ended, reasons))
        self.add_report_section("call", "dingfeng", "\n".join(reasons))

    def _told(self, cell: Cell, ended: str, reasons: Sequence[str]) -> str:
        """Why, the worst story, and what to type to see it again."""
        said = [f"{self.scenario.name} on {self.design}: {ended}", *(f"  {reason}" for reason in reasons)]
        if cell.broken:
            said += ["", next(iter(cell.broken.values())).rstrip()]
        elif ended == "violated":
            said += ["", *self._story(cell)]
        seeds = [replay.rpartition(":")[2] for replay in cell.replays()] if ended != "not violated" else []
        lines = [f"dingfeng replay {token(self.path, self.design, seed)}" for seed in seeds]
        said += ["", *(f"  {line}" for line in lines or [self._again()])]
        return "\n".join(said)

    def _story(self, cell: Cell) -> list[str]:
        """Of the seed that put the most money at risk; it is run again, since histories were not all kept."""
        gravest = max(cell.violated, key=lambda name: (cell.amounts_fen[name], name))
        result = run(self.scenario, self.design, cell.first_seeds[gravest][0])
        return story(result.history, result.verdicts, settings(self.config).lang)

    def _again(self) -> str:
        """The same storm outside pytest, where a single run would show nothing."""
        seeds = settings(self.config).seeds
        which = f"--seeds {seeds[-1]}" if isinstance(seeds, range) else f"--seed {seeds[0]}"
        return f"dingfeng run {shlex.quote(loading.reference(self.path))} -d {self.design} {which}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Our own words for a storm that failed; the traceback would only show the harness."""
        if not isinstance(excinfo.value, StormFailed):
            return super().repr_failure(excinfo, style)
        entry = ReprEntryNative([f"{excinfo.value}\n"])
        where = ReprFileLocation(str(self.path), 1, excinfo.value.reason)
        return ReprExceptionInfo(ReprTraceback([entry], None, "native"), where)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        return self.path, 0, f"{self.scenario.name} on {self.design}"


def story(history: Any, verdicts: Any, lang: str) -> list[str]:
    """The worst violation of a run in plain words, step by step."""
    from chaos.story import tell, worst
    from chaos.words import Words, moment

    words = Words(lang)
    told = tell(history, worst(verdicts), lang)
    steps = [f"  {moment(at.t_us)}  {words.named('lane', at.lane)}  {at.text}" for at in told.timeline]
    return [told.title, *steps, *told.sentences[-2:]]


def token(path: Path, design: str, seed: int | str) -> str:
    """What `dingfeng replay` takes, ready to paste into a shell."""
    return shlex.quote(f"{loading.reference(path)}:{design}:{seed}")
