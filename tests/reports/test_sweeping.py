"""A sweep in a terminal, in the reader's language; one run is one run."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from chaos.certificate import Certificate, Level, Violation
from reports.sweeping import SHOWN, show_certificate


def certificate(**changes: Any) -> Certificate:
    levels = [Level(0, 1, 0, "d", []), Level(1, 23, 3, "d", [])]
    made: dict[str, Any] = {
        "schema": 1, "workload": "card_order", "workload_digest": "w", "scenario": {}, "design": "naive", "seed": 1,
        "versions": {}, "vocabulary": [], "faults": ["node.crash"], "k": 1, "sites": 23, "runs": 24, "twins": 3,
        "digest": "d", "levels": levels, "wall_s": 2.0,
    }  # fmt: skip
    return Certificate(**{**made, **changes})


def shown(lang: str = "en", *, cut_short: bool = False, file: str = "", **changes: Any) -> list[str]:
    stream = io.StringIO()
    show_certificate(certificate(**changes), file, lang, Console(file=stream, width=110), cut_short=cut_short)
    return stream.getvalue().splitlines()


def test_a_clean_sweep_says_what_was_tried() -> None:
    """Level by level, with one run and one fault in the singular, and where the certificate is."""
    assert shown(file="my card.json") == [
        "card_order × naive, up to 1 fault at once: holds",
        "  0 at a time: 1 run",
        "  1 at a time: 23 runs, 3 led nowhere new",
        "",
        "24 runs in 2.0 s (12 a second)",
        "certificate: my card.json",
        "  dingfeng doctor --certificate 'my card.json'",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "守住"),
        ({"violated": {"I-01": 3}}, "违反"),
        ({"unknown": {"I-01": 3}}, "无定论"),
    ],
)
def test_chinese_readers_are_told_in_chinese(changes: dict[str, Any], words: str) -> None:
    """Names and strikes stay as they are typed; nothing else is English."""
    lines = shown("zh", **changes)
    assert lines[0] == f"card_order × naive，至多 1 个故障同时发生：{words}"
    assert not any(word in line for line in lines for word in ("runs", "faults", "violated", "second"))


def test_violations_are_told_by_their_strikes_and_the_rest_counted() -> None:
    """The first few sets of faults, then how many more the certificate names."""
    strikes = [Violation((f"node.crash@{n}",), {}, ["I-01"], "d") for n in range(SHOWN + 2)]
    lines = shown(violated={"I-01": 7, "I-02": 1}, violations=strikes)
    assert "  I-01 violated in 7 runs" in lines
    assert "  I-02 violated in 1 run" in lines
    assert "  node.crash@4" in lines
    assert "  node.crash@5" not in lines
    assert "… and 2 more in the certificate" in lines


def test_a_sweep_that_was_cut_short_certifies_nothing_and_says_so() -> None:
    """Clean so far is not clean."""
    lines = shown(cut_short=True)
    assert lines[0].endswith(": nothing found so far")
    assert "cut short: something is left to try, so this certifies nothing" in lines
