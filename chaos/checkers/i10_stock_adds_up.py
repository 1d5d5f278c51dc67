"""I-10: available + reserved + sold + void = loaded, available is never negative, and the stock
shown is the unsold count.

The rows are counted here as they change; at the end the counter a design keeps (`shown`) and what
the shop shows a visitor are compared with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.books import Books
from chaos.checkers.checker import Checker, Handler
from chaos.history import Read, State


class Stock:
    """Counts of one product."""

    __slots__ = ("known", "reserved", "sold", "void")

    def __init__(self) -> None:
        self.known = self.reserved = self.sold = self.void = 0

    def count(self, status: str, sign: int) -> None:
        if status == "sold":
            self.sold += sign
        elif status == "reserved":
            self.reserved += sign
        elif status == "void":
            self.void += sign


class StockAddsUp(Checker):
    """Cards neither appear from nowhere nor get lost, and the shop says how many there are."""

    invariant = "I-10"
    when = "c"

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._stock: dict[str, Stock] = {}
        self._shown: dict[str, tuple[int, int]] = {}
        self._read: dict[str, tuple[Mapping[str, Any], int]] = {}

    def hears(self) -> dict[str, Handler]:
        return {"state.cards": self._card, "state.products": self._product, "read.product": self._visited}

    def _card(self, event: State) -> None:
        row, before = event.row, self.books.card_before
        subject = row or before
        if subject is None:
            return
        sku = subject["sku"]
        stock = self._stock.get(sku)
        if stock is None:
            stock = self._stock[sku] = Stock()
        self.checked += 1
        if before is None:
            stock.known += 1
        else:
            stock.count(before["status"], -1)
        if row is not None:
            stock.count(row["status"], 1)
        else:
            stock.known -= 1
            if event.op == "delete":
                self._violated(sku, "vanished", 1, card=event.key)
        loaded = self._loaded(sku)
        if loaded is not None and stock.known > loaded:
            self._violated(sku, "from_nowhere", stock.known - loaded, card=event.key)

    def _product(self, event: State) -> None:
        if event.row is not None:
            self._shown[event.key] = (event.row["shown"], self.books.at)

    def _visited(self, event: Read) -> None:
        self._read[event.key] = (event.value, self.books.at)

    def _loaded(self, sku: str) -> int | None:
        loaded: int | None = self.books.products.get(sku, {}).get("loaded")
        return loaded

    def at_end(self, books: Books) -> None:
        for sku, product in books.products.items():
            if product.get("kind") != "card" or (sku not in self._stock and sku not in self._read):
                continue
            self.checked += 1
            loaded = self._loaded(sku)
            if loaded is None or not books.finished:
                self.undecided("sku", sku, "stock_unknown" if loaded is None else "unfinished")
                continue
            self._judge(sku, loaded)

    def _judge(self, sku: str, loaded: int) -> None:
        stock = self._stock.get(sku) or Stock()
        unsold = loaded - stock.sold - stock.void
        kept, kept_at = self._shown.get(sku, (-1, -1))
        if kept != -1 and kept not in (unsold, unsold - stock.reserved):
            self._violated(sku, "counter", abs(kept - unsold), events=(kept_at,), shown=kept, unsold=unsold)
        value, read_at = self._read.get(sku, ({}, -1))
        if "shown" not in value:
            self.undecided("sku", sku, "not_read")
        elif value["shown"] not in (unsold, unsold - stock.reserved):
            off = abs(value["shown"] - unsold)
            self._violated(sku, "shown", off, events=(read_at,), shown=value["shown"], unsold=unsold)

    def _violated(self, sku: str, words: str, cards: int, events: tuple[int, ...] = (), **data: Any) -> None:
        unit_fen = self.books.products.get(sku, {}).get("unit_fen", 0)
        self.violated(
            "sku",
            sku,
            words,
            amount_fen=cards * unit_fen,
            events=events or (self.books.at,),
            cards=cards,
            **data,
        )
