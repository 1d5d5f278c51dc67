"""Names that belong to other parts: invariants, rules and situations. Stories use the same."""

from __future__ import annotations

from chaos.titles import Titles, gravest

__all__ = ["Titles", "gravest"]
