"""One synthetic campaign for all tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

import reports
from tests.reports import campaigns


@pytest.fixture(scope="session")
def campaign_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a finished campaign, no report built yet. Do not change it; copy it."""
    return campaigns.write(tmp_path_factory.mktemp("campaign") / "results", scenarios=4, seeds=3)


@pytest.fixture(scope="session", params=["en", "zh"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Language and directory of a campaign with its reports."""
    lang = str(request.param)
    directory = campaigns.write(tmp_path_factory.mktemp(f"built-{lang}") / "results", scenarios=4, seeds=3)
    reports.build(directory, lang)
    return lang, directory
