"""The ledger: what does not balance is not written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_platform.ledger import Lines, Unbalanced
from reference_platform.tables import POSTINGS, WALLETS
from tests.reference_platform.floor import Floor


def post(floor: Floor, *lines: tuple[str, int]) -> None:
    shop = floor.platforms["platform-1"].shop
    errors: list[Unbalanced] = []

    async def task() -> None:
        async def work(tx: Any) -> None:
            await shop.ledger.post(tx, "test", "O-1", lines)

        try:
            await shop.transactions.run(work)
        except Unbalanced as error:
            errors.append(error)

    floor.kernel.spawn(task(), "post")
    floor.run_for(0.1)
    if errors:
        raise errors[0]


def test_an_unbalanced_posting_is_a_bug_and_leaves_nothing() -> None:
    """I-07."""
    floor = Floor()
    with pytest.raises(Unbalanced):
        post(floor, ("suspense", 1), ("wallet:ann", -2))
    assert floor.rows(POSTINGS) == [] and floor.rows(WALLETS) == []  # noqa: PT018 - one claim


amounts = st.integers(-1000, 1000)
entries = st.lists(
    st.tuples(st.sampled_from(["wallet:ann", "provisional:ann", "wallet:bob"]), amounts), max_size=12
)


@settings(max_examples=25, deadline=None)
@given(entries)
def test_a_wallet_is_the_sum_of_its_entries(moves: list[tuple[str, int]]) -> None:
    """I-08: whatever is posted, in whatever order."""
    floor = Floor()
    for account, fen in moves:
        lines: Lines = ((account, -fen), ("suspense", fen))
        post(floor, *lines)
    for user in ("ann", "bob"):
        row = (floor.rows(WALLETS, user=user) or [{"balance_fen": 0, "provisional_fen": 0}])[0]
        assert row["balance_fen"] == -floor.balance(f"wallet:{user}")
        assert row["provisional_fen"] == -floor.balance(f"provisional:{user}")
