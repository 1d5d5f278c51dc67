"""Words, money and times in the reader's language. All texts are data in `texts.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

LANGUAGES = ("en", "zh")


class UnknownLanguage(ValueError):
    """The reports exist in the languages of LANGUAGES only."""


class Words:
    """`words("verdict.held", runs=20)` is that text in one language. An unknown key is a bug and raises."""

    def __init__(self, lang: str) -> None:
        if lang not in LANGUAGES:
            raise UnknownLanguage(f"no reports in language {lang!r}; there are: {', '.join(LANGUAGES)}")
        self.lang = lang
        self._texts = _texts()

    def __call__(self, key: str, /, **data: Any) -> str:
        entry = self._texts[key]
        text = entry[self.lang] if isinstance(entry, dict) else entry
        return str(text.format_map(data)) if data else str(text)

    def either(self, key: str, fallback: str) -> str:
        """The text, or `fallback` for names that other parts may add to (faults, accounts)."""
        return self(key) if key in self._texts else fallback

    def fault(self, name: str) -> str:
        return self.either(f"fault.{name}", name)

    def count(self, key: str, number: int, /, **data: Any) -> str:
        """English tells one from many; texts that need it have a `.one` beside them."""
        if number == 1 and f"{key}.one" in self._texts:
            key = f"{key}.one"
        return self(key, n=f"{number:,}", **data)

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


@cache
def _texts() -> dict[str, Any]:
    loaded = YAML(typ="safe", pure=True).load((Path(__file__).parent / "texts.yaml").read_text("utf-8"))
    flat: dict[str, Any] = {}
    for section, entries in loaded.items():
        for key, entry in entries.items():
            flat[f"{section}.{key}"] = entry
    return flat


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
