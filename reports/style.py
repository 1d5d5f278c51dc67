"""One restrained style for every figure, and the way a figure becomes a piece of a page.

Okabe and Ito's colours, which stay apart for colour-blind readers; each outcome has a shape of its own
as well. Figures are drawn in CSS pixels (72 dpi) and leave their letters to the reader's browser, so one
drawing serves both languages and stays searchable.
"""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK = "#1c2430"
MUTED = "#5b6675"
FAINT = "#c9d0d9"
GRID = "#e6eaef"
BAND = "#f3e3b3"
BAND_EDGE = "#8a6100"
ALARM = "#b3261e"

SIZE = 11.0  # text, in CSS pixels at natural width
SMALL = 10.0


@dataclass(frozen=True)
class Look:
    """How an outcome is drawn: never by colour alone."""

    colour: str
    marker: str
    filled: bool = True


OUTCOMES = {
    "delivered": Look("#0072b2", "o"),
    "returned": Look("#009e73", "s"),
    "unpaid": Look("#7a8594", "o", filled=False),
    "over": Look("#a3417f", "D"),
    "unresolved": Look("#d55e00", "X"),
}
AGES = ("#a9cfe8", "#e69f00", "#b3401a")
"""Money at risk by age, light to dark: it reads in grey too."""

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": SIZE,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelsize": SIZE,
    "axes.titlesize": SIZE,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "path.simplify": True,
}

_NARROW = frozenset("iljtfrI.,:;'!|()[] ")
_WIDE_LATIN = frozenset("mwMW@%")
_FONT = re.compile(r"font: ?(?:(?P<weight>\d+|bold) )?(?P<size>[\d.]+)px [^;\"]+")
_FAMILY = re.compile(r" ?font-family: [^;\"]+;?")
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_GROUP_ID = re.compile(r"<g id=\"[^\"]*\"")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ROOT = re.compile(r"<svg [^>]*viewBox=\"(?P<box>[^\"]+)\"[^>]*>")
_TAG = re.compile(r"<[^>]+>")
_LONG_NUMBER = re.compile(r"(\d+\.\d{2})\d+")
_NO_TURN = re.compile(r" transform=\"rotate\(-0 [^\"]*\)\"")


def settings(salt: str) -> AbstractContextManager[None]:
    """Our style and nothing of the machine's; `salt` keeps the ids of two figures on one page apart."""
    rc: dict[Any, Any] = {**mpl.rcParamsDefault, **_SETTINGS, "svg.hashsalt": salt, "backend": "svg"}
    return mpl.rc_context(rc)


def canvas(width: float, height: float) -> Figure:
    """An empty figure of so many CSS pixels."""
    figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
    FigureCanvasSVG(figure)
    return figure


def panel(figure: Figure, left: float, top: float, right: float, bottom: float) -> Axes:
    """Axes at so many pixels from the figure's left and top edges."""
    width, height = figure.get_size_inches() * 72
    axes = figure.add_axes(
        (left / width, 1 - bottom / height, (right - left) / width, (bottom - top) / height)
    )
    axes.set_facecolor("none")
    return axes


def text_width(text: str, size: float = SIZE) -> float:
    """Width in pixels, near enough to keep labels apart; the browser's font is not known here."""
    ems = 0.0
    for letter in text:
        if unicodedata.east_asian_width(letter) in "WF":
            ems += 1.0
        elif letter in _NARROW:
            ems += 0.34
        elif letter in _WIDE_LATIN or letter.isupper():
            ems += 0.74 if letter not in _WIDE_LATIN else 0.92
        else:
            ems += 0.58
    return ems * size


def fold(text: str, width: float, size: float = SIZE) -> list[str]:
    """Lines no wider than `width` pixels; Chinese breaks between any two characters, English at spaces."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if line and text_width((line + piece).rstrip(), size) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    lines.append(line.rstrip())
    return lines


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    word = ""
    for letter in text:
        if unicodedata.east_asian_width(letter) == "W":
            pieces += [word, letter] if word else [letter]
            word = ""
        elif letter == " ":
            pieces.append(word + letter)
            word = ""
        elif unicodedata.east_asian_width(letter) == "F" and pieces and not word:
            pieces[-1] += letter  # no line begins with a full stop
        else:
            word += letter
    return [*pieces, word] if word else pieces


def svg(figure: Figure, title: str, description: str) -> str:
    """The figure as an inline `<svg>` that names and describes itself. Same figure, same bytes."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Letters are the browser's business; matplotlib only measures them and may lack Chinese ones.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from", category=UserWarning)
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return _as_inline(buffer.getvalue().decode("utf-8"), title, description)


def standalone(inline: str) -> str:
    """As a file of its own: on white paper, or a reader's dark page would swallow the ink; with letters of its own."""
    drawn = inline.replace('class="figure">', 'class="figure" font-family="system-ui, sans-serif">', 1)
    return drawn.replace("</desc>", '</desc><rect width="100%" height="100%" fill="#ffffff"/>', 1) + "\n"


def markup(ours: str) -> Markup:
    """For the page: a style sheet or a figure of this package, whose texts matplotlib has escaped."""
    return Markup(ours)  # noqa: S704 - see above; everything else on the page is escaped


def _as_inline(text: str, title: str, description: str) -> str:
    root = _ROOT.search(text)
    assert root is not None, "matplotlib wrote no svg element"
    body = text[root.end() :]
    for pattern in (_METADATA, _COMMENT, _NO_TURN):
        body = pattern.sub("", body)
    body = _GROUP_ID.sub("<g", body)
    body = _FONT.sub(_plain_font, body)
    body = _FAMILY.sub("", body)
    body = body.replace("xlink:href", "href").replace("*{stroke-linejoin: round; stroke-linecap: butt}", "")
    body = _TAG.sub(lambda tag: _LONG_NUMBER.sub(r"\1", tag[0]), body)  # places, never the words between
    body = re.sub(r"\s*\n\s*", "\n", body)
    width, height = root["box"].split()[2:]
    # The label says what a reader who cannot see the figure needs; no ids, so nothing can collide on the page.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{root["box"]}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)}. {escape(description)}" class="figure">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{body.strip()}"
    )


def _plain_font(found: re.Match[str]) -> str:
    weight = f"font-weight: {found['weight']}; " if found["weight"] else ""
    return f"{weight}font-size: {found['size']}px"
