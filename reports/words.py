"""The words of the reports: their own texts beside the names that every part uses (`chaos/words.yaml`)."""

from __future__ import annotations

from pathlib import Path

from chaos import words
from chaos.words import LANGUAGES, UnknownLanguage, clock, yuan

__all__ = ["LANGUAGES", "TEXTS", "UnknownLanguage", "Words", "clock", "yuan"]

TEXTS = Path(__file__).with_name("texts.yaml")


class Words(words.Words):
    """All that a report can say, in one language."""

    def __init__(self, lang: str) -> None:
        super().__init__(lang, TEXTS)
