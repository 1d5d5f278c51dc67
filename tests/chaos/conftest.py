"""What several tests of this folder share."""

from __future__ import annotations

import pytest


@pytest.fixture
def own_repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ini file, so that the root is not what happens to be pointed at; none of the slow plugins."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:cacheprovider")
    pytester.makeini("[pytest]")
