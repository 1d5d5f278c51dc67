"""Figures are honest drawings: text stays text, same in gives same out, nothing overlaps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest

from chaos.history import History
from chaos.words import Words
from reports import TEXTS, lanes, panels, sheet, storm, style
from reports.path import path
from tests.reports import storms
from tests.reports.storms import header

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", params=["en", "zh"])
def words(request: pytest.FixtureRequest) -> Words:
    return Words(str(request.param), TEXTS)


def drawn(words: Words, history: History | None = None, *, full: bool = True) -> str:
    run = storm.read(history if history is not None else storms.storm(orders=40))
    return sheet.draw(run, words, words("figure.sheet", scenario="x", design="naive", seed=7), full=full)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def numbers(found: Sequence[str]) -> list[float]:
    return [float(number) for number in found]


def test_text_stays_text(words: Words) -> None:
    """Letters are letters: the browser's font draws them, and a reader can search them."""
    shown = texts(drawn(words))
    for key in ("panel.latency", "panel.traffic", "panel.risk", "axis.minutes", "axis.yuan"):
        assert words(key) in shown


def test_same_run_same_bytes(words: Words) -> None:
    """No date, no random id: two drawings of one run are equal."""
    assert drawn(words) == drawn(words)


def test_two_figures_on_a_page_share_no_id(words: Words) -> None:
    """An id used twice would clip one figure by the other's frame."""
    run = storm.read(storms.storm(orders=40))
    ids = [
        set(re.findall(r'id="([^"]+)"', sheet.draw(run, words, title, full=False))) for title in ("a", "b")
    ]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_every_reference_has_its_target(words: Words) -> None:
    """Stripping ids must not strip those in use."""
    svg = drawn(words)
    used = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
    assert used <= set(re.findall(r'id="([^"]+)"', svg))


def test_a_figure_says_what_it_shows(words: Words) -> None:
    """Title and description are there for who cannot see it."""
    root = ET.fromstring(drawn(words))
    description = root.findtext(f"{SVG}desc") or ""
    assert root.get("role") == "img"
    assert "40" in description
    assert words.fault("link.partition") in description


def test_nothing_of_the_machine_is_in_a_figure(words: Words) -> None:
    """No metadata, no font of this machine, no address to load from."""
    svg = drawn(words)
    assert "DejaVu" not in svg
    assert "metadata" not in svg
    assert "http" not in svg.replace("http://www.w3.org/", "")


def test_times_of_the_scale_are_in_the_language_of_the_page(words: Words) -> None:
    """`1 min` in English is `1 分` in Chinese."""
    shown = texts(drawn(words))
    assert words("unit.min", n=5) in shown
    assert words("unit.s", n=10) in shown


def test_an_age_without_money_leaves_no_trace(words: Words) -> None:
    """An area of no height would be a line on paper, in the colour of money that nobody missed."""
    order = storms.OrderEvents(1, storms.MINUTE)
    storms.plain(order)
    history = History(header())
    history.events = sorted(order.events, key=lambda event: event.t_us)
    svg = drawn(words, history)
    areas = [part.split("</g>")[0] for part in svg.split("<g")]
    filled = [
        age for age in style.AGES if any(f"fill: {age}" in part and "clip-path" in part for part in areas)
    ]
    assert filled == [style.AGES[0]]


@pytest.mark.parametrize("full", [True, False])
def test_a_run_without_orders_can_be_drawn(words: Words, *, full: bool) -> None:
    """Nobody came: an empty sheet, not an error."""
    assert words("panel.latency") in texts(drawn(words, History(header()), full=full))


def test_money_left_at_risk_is_told_in_words(words: Words) -> None:
    """What is open at the end is a sentence in the figure, in yuan with two decimals."""
    run = storm.read(storms.storm(orders=40))
    left = sum(1 for life in run.orders if life.outcome() == "unresolved")
    assert left
    note = words("figure.left_at_risk", money=f"¥{left * 30}.00", time=words.span(run.end_us))
    assert note in texts(drawn(words))


def test_sheets_side_by_side_share_the_time_axis() -> None:
    """Two designs are compared minute by minute."""
    runs = [storm.read(storms.storm(design=design, orders=30)) for design in ("naive", "resilient")]
    storm.align(runs)
    assert runs[0].axis == runs[1].axis
    assert runs[0].rows == runs[1].rows


def test_thousands_of_orders_stay_a_small_drawing(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delivered points are thinned; every order that ended badly is drawn."""
    monkeypatch.setattr(panels, "POINTS_AT_MOST", 50)
    run = storm.read(storms.storm(orders=800))
    svg = sheet.draw(run, words, "big", full=False)
    counts = storm.counts_of(run.orders)
    assert counts["unresolved"] > 50
    drawn_marks = {name: svg.count(f"fill: {look.colour}") for name, look in style.OUTCOMES.items()}
    assert drawn_marks["unresolved"] >= counts["unresolved"]
    assert drawn_marks["delivered"] < 70 < counts["delivered"]


def test_times_in_words_keep_their_milliseconds(words: Words) -> None:
    """Places of lines are rounded to save bytes; what a reader reads is not."""
    order = storms.OrderEvents(1, storms.MINUTE + 253_000)
    storms.plain(order)
    history = History(header())
    history.events = sorted(order.events, key=lambda event: event.t_us)
    assert "01:00.253" in texts(lanes.draw(path(history, "O0001"), "O0001", words))


def labels(svg: str) -> list[tuple[float, float, float, str]]:
    """(x, y, width, text) of the rows' texts, which begin at the same place."""
    found = []
    for element in ET.fromstring(svg).iter(f"{SVG}text"):
        if "rotate(-42" in (element.get("transform") or ""):
            continue
        x, y = float(element.get("x", "0")), float(element.get("y", "0"))
        size = float((re.search(r"font-size: ([\d.]+)px", element.get("style", "")) or ["", "11"])[1])
        anchored_right = "end" in element.get("style", "")
        width = style.text_width(element.text or "", size)
        found.append((x - width if anchored_right else x, y, width, element.text or ""))
    return found


def test_labels_of_a_path_never_overlap(words: Words) -> None:
    """Each event has a row: no two texts touch, none leaves the figure."""
    order = storms.OrderEvents(1, storms.MINUTE)
    storms.stuck(order)
    history = storms.storm(orders=0)
    history.events = sorted([*history.events, *order.events], key=lambda event: event.t_us)
    svg = lanes.draw(path(history, "O0001", [3]), "O0001", words)
    placed = labels(svg)
    assert len(placed) > 20
    for index, (x, y, width, text) in enumerate(placed):
        assert x >= 0
        assert x + width <= lanes.WIDTH + 1, text
        for other_x, other_y, other_width, other in placed[index + 1 :]:
            apart = abs(y - other_y) >= 9 or x + width <= other_x or other_x + other_width <= x
            assert apart, (text, other)


def test_evidence_is_drawn_in_its_own_shape(words: Words) -> None:
    """An alarm is a red diamond and bold: never colour alone."""
    order = storms.OrderEvents(1, storms.MINUTE)
    storms.plain(order)
    history = History(header())
    history.events = sorted(order.events, key=lambda event: event.t_us)
    plain = lanes.draw(path(history, "O0001"), "O0001", words)
    marked = lanes.draw(path(history, "O0001", range(len(history.events))), "O0001", words)
    assert style.ALARM not in plain
    assert style.ALARM in marked
    assert "font-weight: 700" in marked


def test_long_lines_are_folded_between_words_and_between_chinese_characters() -> None:
    """Every line fits, and no line begins with a full stop."""
    english = style.fold("the quick brown fox jumps over the lazy dog", 100)
    assert all(style.text_width(line) <= 100 for line in english)
    assert " ".join(english) == "the quick brown fox jumps over the lazy dog"
    sentence = "\u652f\u4ed8\u6e20\u9053\u5df2\u7ecf\u6263\u6b3e\u3002" * 3
    chinese = style.fold(sentence, 60)
    assert "".join(chinese) == sentence
    assert len(chinese) > 3
    assert not any(line.startswith("\u3002") for line in chinese)
