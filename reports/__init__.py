"""Results directory in, explanation out: a page, figures, JUnit, JSON and Markdown.

Start at `render.py` (what is written), then `reading.py` (directory → `campaign.py`), `page.py` (what
the page says), `sheet.py` and `lanes.py` (what the figures show) and `real.py` (what only real parts can
tell). Reports meet the rest of the house only in a results directory; of `chaos` they use the types that
read one, and its texts.
"""

from __future__ import annotations

from pathlib import Path

TEXTS = Path(__file__).with_name("texts.yaml")
"""The reports' own words, beside the names that every part uses: `Words(lang, TEXTS)`."""


def build(results: Path, lang: str = "en") -> list[Path]:
    """Write every report of the campaign in `results` beside it; the files written, the page first.

    Raises chaos.results.ResultsError for a directory that is none, is damaged or of another version.
    """
    from reports.render import write  # matplotlib takes its time: only who renders pays for it

    return write(results, lang)
