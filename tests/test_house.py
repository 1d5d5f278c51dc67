"""The house: what gets installed, what is pinned, which way imports may run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("chaos", "reference_platform", "reports", "scenarios", "sim")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _source_files() -> set[Path]:
    """Everything that belongs to the packages, as paths from the root."""
    return {
        path.relative_to(ROOT)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def _front_door() -> list[Path]:
    return sorted(ROOT.glob("dingfeng*.py"))


def test_every_folder_of_code_is_a_listed_package() -> None:
    """Packages are listed by hand; a new folder that nobody listed would be missing after installation."""
    folders = {path.parent for path in _source_files() if path.suffix == ".py"}
    assert sorted(".".join(folder.parts) for folder in folders) == sorted(
        PROJECT["tool"]["setuptools"]["packages"]
    )
    assert [folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []


def test_what_is_installed_is_every_file_of_the_packages_and_nothing_else(tmp_path: Path) -> None:
    """Code, YAML, templates: built as for installation and compared file by file; tests stay outside."""
    source, built = tmp_path / "source", tmp_path / "built"
    source.mkdir()
    for path in (*_front_door(), *(ROOT / name for name in ("pyproject.toml", "LICENSE", "README.md"))):
        shutil.copy(path, source)
    for folder in (*FOLDERS, "tests"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    build = "from setuptools import setup; setup()"
    command = [sys.executable, "-c", build, "-q", "build_py", "--build-lib", str(built)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    installed = {path.relative_to(built) for path in built.rglob("*") if path.is_file()}
    assert installed == _source_files() | {Path(path.name) for path in _front_door()}


def test_every_dependency_is_pinned_once_and_no_registry_is_named() -> None:
    """The constraints make every machine install the same versions, from wherever it installs."""
    text = (ROOT / "constraints.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)] == []
    pinned = [_normal(line.partition("==")[0]) for line in lines]
    assert sorted(set(pinned)) == sorted(pinned)
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    wanted = {_normal(name) for names in (project["dependencies"], *extras) for name in names}
    assert wanted - {"dingfeng", *pinned} == set()


def _normal(requirement: str) -> str:
    name = re.split(r"[\[<>=! ]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("sim", "import chaos.history"),
        ("reference_platform", "import sim.kernel"),
        ("reference_platform", "import asyncio"),
        ("scenarios", "import chaos.history"),
        ("chaos/oracle", "import reference_platform.ports"),
        ("chaos/checkers", "import sim.recorder"),
        ("reports", "import sim.kernel"),
        ("chaos", "import reports"),
        ("sim", "import scenarios.model"),
        ("reference_platform", "import psycopg"),
        ("chaos", "import dingfeng"),
    ],
)
def test_an_import_against_the_direction_is_found(tmp_path: Path, where: str, line: str) -> None:
    """Each contract of Import Linter fails when it is broken; a contract that cannot fail checks nothing."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    (tmp_path / where / "wrongly.py").write_text(line + "\n")
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert ".wrongly" in done.stdout
