"""Writes the reports of a campaign: for people a page and a short text, for machines JUnit and JSON."""

from __future__ import annotations

from pathlib import Path

from chaos.results import ResultsError
from chaos.words import Words
from reports import TEXTS, junit, page, summary
from reports.reading import read


def write(results: Path, lang: str) -> list[Path]:
    """The files written. Raises ResultsError."""
    Words(lang, TEXTS)  # an unknown language is told before anything is read
    campaign = read(results)
    summed = summary.of(campaign, lang)
    texts = {
        "report.html": page.render(campaign, lang),
        "junit.xml": junit.render(campaign, lang),
        "summary.json": summary.as_json(summed),
        "summary.md": summary.as_markdown(summed, lang),
    }
    written = []
    for name, text in texts.items():
        target = results / name
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ResultsError(f"{target}: cannot be written: {error.strerror}") from error
        written.append(target)
    return written
