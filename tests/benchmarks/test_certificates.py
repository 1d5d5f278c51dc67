"""The table of certificates, on the smallest journey."""

from __future__ import annotations

import pytest

from benchmarks.certificates import main


def test_a_clean_journey_has_a_line_and_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """Sites and runs as the sweep counted them; one run without faults is among them."""
    assert main(["--journey", "wallet_order", "--deepest", "1", "--jobs", "1"]) == 0
    head, _, line = capsys.readouterr().out.splitlines()
    shown = dict(zip(head.split(" | "), line.split(" | "), strict=True))
    assert line.startswith("| wallet_order | 1 | ")
    assert line.endswith(" | clean |")
    assert int(shown["runs"]) == int(shown["sites"]) + 1 > 1


def test_a_journey_that_breaks_names_what_broke_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    """One fault on the platform of the complaints is enough."""
    assert main(["--journey", "card_order", "--design", "naive", "--deepest", "1", "--jobs", "1"]) == 1
    _, _, line = capsys.readouterr().out.splitlines()
    assert "I-" in line
