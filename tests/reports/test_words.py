"""Every text exists in both languages and takes the same data; amounts and times are exact."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

import pytest

from reports.words import Words, _texts, clock, yuan
from scenarios.faults import FAULTS

TEXTS = _texts()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_both_languages_say_the_same_with_the_same_data(key: str) -> None:
    """Neither language is missing, and neither leaves out a name that the other tells."""
    entry: Any = TEXTS[key]
    assert set(entry) == {"en", "zh"}
    assert entry["en"].strip() or key == "figure.comma"
    assert fields(entry["en"]) == fields(entry["zh"])


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_chinese_uses_chinese_punctuation(key: str) -> None:
    """A half-width comma between Chinese characters is a slip."""
    chinese = "[\u4e00-\u9fff]"
    assert not re.search(f"{chinese}[,;:?!()]|[,;:?!()]{chinese}", TEXTS[key]["zh"])


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_has_a_name_in_words(fault: str) -> None:
    """The vocabulary of faults and the words for them grow together."""
    assert Words("en").fault(fault) != fault
    assert Words("zh").fault(fault) != fault


def test_a_fault_of_another_version_keeps_its_name() -> None:
    """An old campaign may know faults that are gone."""
    assert Words("en").fault("weather.rain") == "weather.rain"


@pytest.mark.parametrize(
    ("fen", "shown"),
    [(0, "¥0.00"), (5, "¥0.05"), (123456789, "¥1,234,567.89"), (-250, "−¥2.50"), (10**17 + 1, "¥1,000,000,000,000,000.01")],
)  # fmt: skip
def test_yuan_are_exact(fen: int, shown: str) -> None:
    """Two decimals, no rounding, however large."""
    assert yuan(fen) == shown


@pytest.mark.parametrize(
    ("t_us", "shown"), [(0, "00:00.000"), (61_234_567, "01:01.234"), (88_200_000_000, "24:30:00.000")]
)
def test_clock_counts_from_the_start_of_the_run(t_us: int, shown: str) -> None:
    """mm:ss.mmm, hours in front when there are any."""
    assert clock(t_us) == shown


@pytest.mark.parametrize(
    ("us", "shown"),
    [
        (850_000, "850 ms"), (12_340_000, "12.3 s"), (60_000_000, "1 min"), (842_000_000, "14 min 2 s"),
        (88_200_000_000, "24 h 30 min"), (864_000_000_000, "10 d"), (0, "0 ms"),
    ],
)  # fmt: skip
def test_lengths_are_told_in_their_two_largest_units(us: int, shown: str) -> None:
    """Enough to understand, no more."""
    assert Words("en").span(us) == shown


def test_one_is_not_many() -> None:
    """`one scenario`, `2 scenarios`."""
    words = Words("en")
    assert words.count("sentence.scenarios", 1) == "one scenario"
    assert words.count("sentence.scenarios", 2000) == "2,000 scenarios"
