"""Every text exists in both languages and takes the same data; amounts and times are exact."""

from __future__ import annotations

from io import StringIO
from string import Formatter
from typing import Any

import pytest

from chaos.words import NAMES, Words, clock, fill, moment, texts, yuan
from reports import TEXTS as OWN
from reports.terminal import console
from scenarios.faults import FAULTS

TEXTS = texts(NAMES, OWN)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_both_languages_say_the_same_with_the_same_data(key: str) -> None:
    """Neither language is missing, and neither leaves out a name that the other tells."""
    entry: Any = TEXTS[key]
    assert set(entry) == {"en", "zh"}
    assert entry["en"].strip() or key == "figure.comma"
    assert fields(entry["en"]) == fields(entry["zh"])


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_has_a_name_in_words(fault: str) -> None:
    """The vocabulary of faults and the words for them grow together."""
    assert Words("en", OWN).fault(fault) != fault
    assert Words("zh", OWN).fault(fault) != fault


def test_a_fault_of_another_version_keeps_its_name() -> None:
    """An old campaign may know faults that are gone."""
    assert Words("en", OWN).fault("weather.rain") == "weather.rain"


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
    assert Words("en", OWN).span(us) == shown


def test_one_is_not_many() -> None:
    """`one scenario`, `2 scenarios`."""
    words = Words("en", OWN)
    assert words.count("sentence.scenarios", 1) == "one scenario"
    assert words.count("sentence.scenarios", 2000) == "2,000 scenarios"


def test_a_number_brings_its_noun() -> None:
    """`1 piece`, `3 pieces`, `once`, `twice`; no "1 piece(s)"."""
    text = "{n:piece|pieces}, {n:times}, {n}"
    assert [fill(text, {"n": n}) for n in (1, 2, 4000)] == [
        "1 piece, once, 1", "2 pieces, twice, 2", "4,000 pieces, 4,000 times, 4000",
    ]  # fmt: skip
    assert fill("{n:piece|pieces}", {}, lenient=True) == "–"
    with pytest.raises(KeyError):
        fill("{n:piece|pieces}", {})


def test_a_sentence_needs_no_thousandths_of_a_full_second() -> None:
    """`56:00`, and `56:00.250` where it matters."""
    assert [moment(us) for us in (3_360_000_000, 3_360_250_000)] == ["56:00", "56:00.250"]


def test_words_live_in_one_place() -> None:
    """A name with words in two files would sooner or later be told in two ways."""
    with pytest.raises(ValueError, match="has words already"):
        texts(OWN, OWN)


def test_a_replay_token_is_printed_as_it_is() -> None:
    """Between colons, some names are also names of emoji."""
    out = StringIO()
    console(out).print("dingfeng replay storm:bug:1", markup=False)
    assert out.getvalue() == "dingfeng replay storm:bug:1\n"
