"""Writes what a decision says: gate.json, junit.xml and gate.md. All three, or none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chaos.results import ResultsError
from reports.gate import junit, markdown, summary
from reports.gate.judging import Decision

FILES = ("gate.json", "junit.xml", "gate.md")


def place(out: Path | None, results: Path) -> Path:
    """Where the files go: `out`, or `gate/` in the results. Raises ResultsError if that is somebody else's."""
    target = out or results / "gate"
    if target.is_file():
        raise ResultsError(f"{target}: is a file; name a directory for what the gate writes")
    strangers = (
        [entry.name for entry in target.iterdir() if entry.name not in FILES] if target.is_dir() else []
    )
    if strangers:
        raise ResultsError(f"{target}: holds other files ({strangers[0]}); name another directory with --out")
    return target


def write(decision: Decision, told: dict[str, Any], target: Path, lang: str) -> list[Path]:
    """The files written. An earlier verdict of the gate in the same place is replaced."""
    document = {**told, "checks": summary.checks(decision, lang)}
    texts = {
        "gate.json": json.dumps(document, ensure_ascii=False, indent=1) + "\n",
        "junit.xml": junit.render(decision, lang),
        "gate.md": markdown.render(told, lang),
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
        fresh = {name: target / f"{name}.new" for name in texts}
        for name, text in texts.items():
            fresh[name].write_text(text, "utf-8")
        for name, path in fresh.items():
            path.replace(target / name)
    except OSError as error:
        raise ResultsError(f"{target}: cannot be written: {error.strerror}") from error
    return [target / name for name in FILES]
