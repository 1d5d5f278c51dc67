"""Words, money and times in the reader's language. All texts are data, English and Chinese side by side.

`words.yaml` names what a history speaks of (faults, statuses, answers …) for every reader: stories,
replays and reports. A part with texts of its own reads them beside it: `Words("en", file)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

LANGUAGES = ("en", "zh")
NAMES = Path(__file__).with_name("words.yaml")

_TIMES = {1: "once", 2: "twice"}


class UnknownLanguage(ValueError):
    """There are words in the languages of LANGUAGES only."""


class Words:
    """`words("verdict.held", runs=20)` is that text in one language. An unknown key is a bug and raises."""

    def __init__(self, lang: str, *files: Path) -> None:
        if lang not in LANGUAGES:
            raise UnknownLanguage(f"no words in language {lang!r}; there are: {', '.join(LANGUAGES)}")
        self.lang = lang
        self._texts = texts(NAMES, *files)

    def __call__(self, key: str, /, **data: Any) -> str:
        text = str(self._texts[key][self.lang])
        return fill(text, data) if data else text

    def either(self, key: str, fallback: str) -> str:
        """The text, or `fallback` for names that other parts or versions may add to."""
        return self(key) if key in self._texts else fallback

    def named(self, group: str, name: object) -> str:
        """The word of one group (`status`, `topic`, `action` …); an unknown name stands for itself."""
        return self.either(f"{group}.{name}", str(name))

    def fault(self, name: str) -> str:
        """A fault in two or three words."""
        return self.named("fault", name)

    def count(self, key: str, number: int, /, **data: Any) -> str:
        """English tells one from many; texts that need it have a `.one` beside them."""
        if number == 1 and f"{key}.one" in self._texts:
            key = f"{key}.one"
        return self(key, n=f"{number:,}", **data)

    def listed(self, names: tuple[str, ...] | list[str]) -> str:
        """Names in a row."""
        return ("、" if self.lang == "zh" else ", ").join(names)

    def span(self, us: int) -> str:
        """A length of time in its two largest units: `850 ms`, `12.3 s`, `14 min 2 s`, `6 h 10 min`."""
        if us < 60_000_000:
            number, unit = (f"{us // 1000}", "ms") if us < 1_000_000 else (f"{us / 1_000_000:.1f}", "s")
            return self(f"unit.{unit}", n=number)
        parts: list[str] = []
        rest = us // 1_000_000
        days = [("d", 86_400)] if rest >= 4 * 86_400 else []  # `24 h 30 min` says more than `1 d`
        for unit, size in (*days, ("h", 3600), ("min", 60), ("s", 1)):
            number_of, rest = divmod(rest, size)
            if number_of:
                parts.append(self(f"unit.{unit}", n=f"{number_of:,}"))
            elif parts:
                break
        return " ".join(parts[:2])


class _Number(int):
    """Knows its noun: `{units:piece|pieces}` is `1 piece` or `3 pieces`, `{times:times}` is `twice`."""

    def __format__(self, spec: str) -> str:
        one, several, many = spec.partition("|")
        if several:
            return f"{self:,} {one if self == 1 else many}"
        if spec == "times":
            return _TIMES.get(self, f"{self:,} times")
        return super().__format__(spec)


class _Dash(str):
    """Stands for what is not known, in the place of a number too."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str(self)


class _Lenient(dict[str, Any]):
    """Data that may lack something."""

    def __missing__(self, key: str) -> str:
        return _Dash("\u2013")


def fill(text: str, data: Mapping[str, Any], *, lenient: bool = False) -> str:
    """The text with its data put in. What is missing raises KeyError, or with `lenient` shows as a dash."""
    numbered = {key: _Number(value) if type(value) is int else value for key, value in data.items()}
    return text.format_map(_Lenient(numbered) if lenient else numbered)


@cache
def texts(*files: Path) -> dict[str, Any]:
    """All texts of these files under flat keys, `group.name`. A key in two of them is a bug and raises."""
    flat: dict[str, Any] = {}
    for file in files:
        for group, entries in load(file).items():
            for name, entry in entries.items():
                key = f"{group}.{name}"
                if key in flat:
                    raise ValueError(f"{file}: {key} has words already")
                flat[key] = entry
    return flat


@cache
def load(file: Path) -> dict[str, Any]:
    """A file of texts as it stands."""
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
    return loaded


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals; no floats, so nothing is rounded."""
    sign = "−" if fen < 0 else ""
    return f"{sign}¥{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def clock(t_us: int) -> str:
    """Time since the start of the run: mm:ss.mmm, hours in front when there are any."""
    ms = t_us // 1000
    minutes, rest = divmod(ms, 60_000)
    seconds = f"{rest // 1000:02d}.{rest % 1000:03d}"
    if minutes < 60:
        return f"{minutes:02d}:{seconds}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds}"


def moment(t_us: int) -> str:
    """As `clock`, for a sentence: a full second needs no thousandths."""
    return clock(t_us).removesuffix(".000")
