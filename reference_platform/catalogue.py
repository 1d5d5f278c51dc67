"""Products and prices. The catalogue changes with a deployment only, so a node reads a product once."""

from __future__ import annotations

from reference_platform.answers import Refused
from reference_platform.ports import Transaction
from reference_platform.tables import PRODUCTS, ProductRow
from reference_platform.wiring import Part, Shop


class Catalogue(Part):
    """Looks products up and says what a user pays."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self._products: dict[str, ProductRow] = {}

    async def product(self, tx: Transaction, sku: str) -> ProductRow:
        """The product, or a refusal."""
        known = self._products.get(sku)
        if known is None:
            known = await tx.get(PRODUCTS, sku)
            if known is None:
                raise Refused(404, "unknown_product")
            self._products[sku] = known
        return known

    async def price(self, tx: Transaction, product: ProductRow, user: str) -> tuple[int, bool]:
        """(unit price in fen, whether it is the member price), as of now."""
        member_fen = product["member_fen"]
        if 0 < member_fen < product["unit_fen"] and await self.shop.memberships.is_member(tx, user):
            return member_fen, True
        return product["unit_fen"], False
