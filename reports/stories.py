"""The story of a failure in the reader's language, ready for the page."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.checkers.verdict import Verdict
from chaos.history import History
from reports.titles import Titles


@dataclass(frozen=True)
class Telling:
    title: str
    sentences: tuple[str, ...]
    timeline: tuple[tuple[int, str], ...]
    money_fen: int
    saved_by: str
    order_id: str
    user: str
    invariant: str


def tell(history: History, verdicts: tuple[Verdict, ...], lang: str) -> Telling:
    """The worst of `verdicts`, which are the violated ones of this run."""
    verdict = max(verdicts, key=lambda v: (v.amount_fen, len(v.witnesses)))
    witness = max(verdict.witnesses, key=lambda w: w.amount_fen)
    title = Titles(lang).invariant(verdict.invariant)
    return Telling(
        f"{verdict.invariant} {title}", (witness.words,), (), witness.amount_fen, "", witness.id,
        ", ".join(witness.users), verdict.invariant,
    )  # fmt: skip
