"""Ids: the same in every design, and never given twice."""

from __future__ import annotations

from sim.ids import StableIds


def test_the_first_id_of_a_purpose_is_its_name_and_later_ones_are_numbered() -> None:
    """So a plan keyed by order fits every design."""
    ids = StableIds()
    assert [ids.new("order", "u3", "k1") for _ in range(3)] == [
        "order-u3-k1",
        "order-u3-k1.2",
        "order-u3-k1.3",
    ]


def test_each_purpose_counts_for_itself() -> None:
    """Another user's order moves no number of mine."""
    ids = StableIds()
    assert [ids.new("order", "u1"), ids.new("order", "u2"), ids.new("log", "u1")] == [
        "order-u1", "order-u2", "log-u1",
    ]  # fmt: skip
