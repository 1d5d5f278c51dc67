"""The pytest plugin: storms as tests, and storms inside tests.

Every pytest session on a machine with dingfeng imports this module, also those that know nothing of
storms. So it holds only names, options and cheap questions about paths; whatever runs a storm is
imported when the first scenario file or the first `storm` fixture turns up.
"""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chaos.pytest_items import StormItem
    from chaos.pytest_storms import Storms

PATTERN = "*.storm.yaml"
_YAML = (".yaml", ".yml")
_FIELDS = re.compile(
    rb"^(catalogue|expect|faults|knobs|sometimes|story|timing|workload)[ \t]*:", re.MULTILINE
)
_HEAD_BYTES = 1 << 16
_MARKER = (
    "storm: a scenario file run as a test by dingfeng; `-m storm` selects all of them, and your own tests "
    "may carry it too"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Each option has an ini setting of the same meaning; what the command line says comes first."""
    group = parser.getgroup("dingfeng", "storms (dingfeng)")
    group.addoption(
        "--dingfeng-seeds",
        type=_at_least_one,
        metavar="N",
        help="run seeds 1 to N of each storm (default: 20)",
    )
    group.addoption("--dingfeng-seed", type=_seed, metavar="K", help="run only seed K of each storm")
    group.addoption(
        "--dingfeng-design",
        action="append",
        metavar="D",
        help="design to put through the storms; repeatable (default: those that the scenario names)",
    )
    group.addoption(
        "--dingfeng-out",
        type=Path,
        metavar="DIR",
        help="results directory for `dingfeng report` and `replay`; must be new or empty (default: none)",
    )
    group.addoption("--dingfeng-lang", choices=("en", "zh"), help="language of the stories (default: en)")
    parser.addini("dingfeng_files", "name patterns of scenario files, wherever they are", "args", [PATTERN])
    parser.addini("dingfeng_scenarios", "folders in which every YAML file is a scenario", "paths", [])
    parser.addini("dingfeng_seeds", "as --dingfeng-seeds")
    parser.addini("dingfeng_seed", "as --dingfeng-seed")
    parser.addini("dingfeng_designs", "as --dingfeng-design", "args", [])
    parser.addini("dingfeng_lang", "as --dingfeng-lang")


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of seeds; give 1 or more")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no seed; give 0 or more")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Wrong options end the session here, before anything is collected."""
    config.addinivalue_line("markers", _MARKER)
    option = config.option
    if option.dingfeng_seeds is not None and option.dingfeng_seed is not None:
        raise pytest.UsageError(
            "--dingfeng-seeds N runs seeds 1 to N and --dingfeng-seed K runs one; give one of them"
        )
    if option.dingfeng_design:
        from chaos.pytest_items import settings

        settings(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> StormFile | None:
    """A scenario file becomes a collector of storms; every other file is left to others."""
    if file_path.suffix not in _YAML or not is_scenario(file_path, parent.session):
        return None
    return StormFile.from_parent(parent, path=file_path)


class StormFile(pytest.File):
    """One scenario file. pytest makes these also for neighbours of what it was asked for, so it reads nothing yet."""

    def collect(self) -> Iterator[StormItem]:
        from chaos.pytest_items import storms_in

        return storms_in(self)


def is_scenario(path: Path, session: pytest.Session) -> bool:
    """Whether a YAML file is ours: by its name, by its folder, or because somebody pointed at it.

    Pointing at a folder is not enough to call a file a scenario, and neither is looking like one:
    it takes both. The root of the project is no folder of scenarios, whoever points at it.
    """
    config = session.config
    if any(fnmatchcase(path.name, pattern) for pattern in config.getini("dingfeng_files")):
        return True
    if any(path.is_relative_to(folder) for folder in config.getini("dingfeng_scenarios")):
        return True
    return _pointed_at(path, session) and _looks_like_one(path)


def _pointed_at(path: Path, session: pytest.Session) -> bool:
    if session.isinitpath(path):
        return True
    if session.config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    root = session.config.rootpath
    return any(session.isinitpath(folder) for folder in path.parents if not root.is_relative_to(folder))


def _looks_like_one(path: Path) -> bool:
    """Two fields of a scenario at the margin. A misspelt field must not make a scenario disappear."""
    with path.open("rb") as file:
        return len(set(_FIELDS.findall(file.read(_HEAD_BYTES)))) > 1


# ---------------------------------------------------------------- results


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Claim the results directory before the first run, in the process that will write it."""
    if session.config.option.dingfeng_out is None or session.config.option.collectonly:
        return
    from chaos.pytest_results import open_results

    open_results(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where its runs are wanted."""
    if node.config.option.dingfeng_out is not None:
        from chaos.pytest_results import tell_worker

        tell_worker(node.config, node.workerinput)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write down what the storms of all workers came to."""
    if session.config.option.dingfeng_out is not None:
        from chaos.pytest_results import close_results

        close_results(session, exitstatus)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line that says where the results are."""
    if config.option.dingfeng_out is not None:
        from chaos.pytest_results import sentence

        if said := sentence(config):
            terminalreporter.write_line(said)


# ---------------------------------------------------------------- fixtures


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`storm_seed` and `storm_design` repeat a test over the seeds and designs of this session."""
    if "storm_seed" in metafunc.fixturenames:
        from chaos.pytest_items import settings

        metafunc.parametrize("storm_seed", settings(metafunc.config).seeds)
    if "storm_design" in metafunc.fixturenames:
        from chaos.pytest_items import settings

        metafunc.parametrize("storm_design", settings(metafunc.config).designs or ("resilient",))


@pytest.fixture
def storm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Storms:
    """Put a design through a storm: `storm("callback_late", design="resilient", seed=3)`.

    The scenario is a name, a path, or a dict as a file would hold it; keywords replace fields of it.
    What comes back has `verdicts`, `history` and more, and `assert_holds("I-09")`.
    """
    from chaos.pytest_items import settings
    from chaos.pytest_storms import Storms

    config = request.config
    return Storms(
        tuple(config.getini("dingfeng_scenarios")),
        request.path.parent,
        tmp_path_factory,
        settings(config).lang,
    )
