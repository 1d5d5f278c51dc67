"""A real browser shows the page: nothing sticks out, nothing complains, figures have text."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import reports
from tests.reports import campaigns, realparts
from tests.reports.browser import NAMES, Browser, executable


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = executable()
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have a browser; none of {', '.join(NAMES)} is installed")
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with Browser(program, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module", params=["en", "zh"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a campaign on real parts: it has every section that there is."""
    directory = realparts.write(tmp_path_factory.mktemp("real") / "results", seeds=3)
    reports.build(directory, str(request.param))
    text = (directory / "report.html").read_text("utf-8")
    assert all(
        f'<section id="{name}"' in text for name in ("worst", "figures", "touched", "load", "pace", "replay")
    )
    return directory / "report.html"


@pytest.mark.parametrize("width", [420, 1280])
def test_page_fits_its_window_and_is_quiet(browser: Browser, page: Path, width: int) -> None:
    """With every fold open: no sideways scrolling, no console error, no request but the page."""
    browser.open(page, width)
    browser.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.problems == []
    assert browser.requests == [page.as_uri()]


@pytest.mark.parametrize("width", [420, 720, 1100])
def test_seven_designs_fit_a_window(browser: Browser, tmp_path: Path, width: int) -> None:
    """Tables of many columns break their lines, or scroll by themselves; the page does not."""
    directory = campaigns.write(tmp_path / "results", scenarios=3, seeds=1)
    file = directory / "campaign.json"
    more = ["callback_idempotent", "outbox", "active_query", "supplier_fence", "compensated"]
    meta = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**meta, "designs": [*campaigns.DESIGNS, *more]}), "utf-8")
    reports.build(directory)
    browser.open(directory / "report.html", width)
    browser.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_texts_of_figures_are_shown_and_legible_on_a_telephone(browser: Browser, page: Path) -> None:
    """Text is text, and no smaller than seven pixels at 420."""
    browser.open(page, 420)
    browser.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    heights = browser.evaluate(
        "[...document.querySelectorAll('svg.figure text')].filter(t => t.textContent.trim() && !t.hasAttribute('transform'))"
        ".map(t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width"
        " / t.ownerSVGElement.viewBox.baseVal.width)"
    )
    assert len(heights) > 100
    assert min(heights) >= 7


def test_labels_of_figures_do_not_overlap_as_the_browser_draws_them(browser: Browser, page: Path) -> None:
    """Measured with the reader's own font, in every figure of the page."""
    browser.open(page, 1280)
    browser.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    overlaps = browser.evaluate(
        """[...document.querySelectorAll('svg.figure')].flatMap(svg => {
            const boxes = [...svg.querySelectorAll('text')]
                .filter(t => t.textContent.trim() && !/rotate/.test(t.getAttribute('transform') || ''))
                .map(t => ({text: t.textContent, ...t.getBoundingClientRect().toJSON()}));
            return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
                Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5 &&
                Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5.5
            ).map(b => a.text + ' / ' + b.text));
        })"""
    )
    assert overlaps == []


def test_texts_stay_inside_their_figures(browser: Browser, page: Path) -> None:
    """No label is cut off at an edge."""
    browser.open(page, 1280)
    browser.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    outside = browser.evaluate(
        """[...document.querySelectorAll('svg.figure')].flatMap(svg => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')].filter(t => {
                const box = t.getBoundingClientRect();
                return box.left < frame.left - 1 || box.right > frame.right + 1
                    || box.top < frame.top - 2 || box.bottom > frame.bottom + 2;
            }).map(t => t.textContent);
        })"""
    )
    assert outside == []
