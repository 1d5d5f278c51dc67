"""One small live world for all tests of this folder: they keep apart by member and key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.live.stage import Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Real processes, a real database."""
    with Stage(tmp_path_factory.mktemp("stage")) as world:
        yield world
        world.has_no_bug()
