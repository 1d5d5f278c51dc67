"""Agreement of the two worlds, on made-up looks."""

from __future__ import annotations

import pytest

from chaos.agreement import Look, compare


def seen(
    seed: int = 1,
    *,
    design: str = "naive",
    outcomes: dict[str, str] | None = None,
    steps: dict[str, int] | None = None,
    times_us: dict[str, list[int]] | None = None,
) -> Look:
    return Look(
        "storm", design, seed, outcomes or {"I-01": "holds"}, steps or {}, {"K-01": 1}, times_us or {}
    )


def test_worlds_agree_that_broke_the_same_invariants_in_any_of_their_runs() -> None:
    """Real processes race otherwise than simulated ones, so seeds need not agree one by one."""
    broken = {"I-01": "violated"}
    found = compare([seen(1, outcomes=broken), seen(2)], [seen(1), seen(2, outcomes=broken)])
    assert found.differing == []
    assert [(one.sim, one.live, one.runs) for one in found.verdicts] == [(1, 1, 2)]


def test_an_invariant_broken_in_one_world_only_is_a_difference() -> None:
    """Whichever world it was."""
    for ours, theirs in (("violated", "holds"), ("holds", "violated")):
        found = compare([seen(outcomes={"I-01": ours})], [seen(outcomes={"I-01": theirs})])
        assert [one.invariant for one in found.differing] == ["I-01"]


def test_a_verdict_that_nobody_could_give_is_undecided() -> None:
    """It is no difference, but no agreement either."""
    found = compare([seen()], [seen(outcomes={"I-01": "unknown"})])
    assert found.differing == []
    assert [one.live_unknown for one in found.undecided] == [1]


def test_designs_are_compared_each_with_itself() -> None:
    """What breaks on one design says nothing of another."""
    broken = {"I-01": "violated"}
    sim = [seen(outcomes=broken), seen(design="resilient")]
    live = [seen(), seen(design="resilient", outcomes=broken)]
    assert [(one.design, one.agrees) for one in compare(sim, live).verdicts] == [
        ("naive", False),
        ("resilient", False),
    ]


def test_status_changes_are_counted_in_each_world() -> None:
    """One that was seen in one world only stands out by a zero."""
    found = compare([seen(steps={"created → paid": 2})], [seen(steps={"created → closed": 1})])
    assert [(one.what, one.sim, one.live) for one in found.steps] == [
        ("created → closed", 0, 1),
        ("created → paid", 2, 0),
    ]
    assert [(one.what, one.sim, one.live) for one in found.compensations] == [("K-01", 1, 1)]


def test_times_that_differ_are_far_apart_and_alike_ones_are_not() -> None:
    """Kolmogorov's and Smirnov's distance: 0 for the same, 1 for times that do not overlap at all."""
    base = [1_000 * n for n in range(1, 21)]
    same, apart = (
        compare([seen(times_us={"pay": base})], [seen(times_us={"pay": other})]).spreads[0]
        for other in (base, [us * 100 for us in base])
    )
    assert (same.distance, same.chance) == (0.0, 1.0)
    assert apart.distance is not None
    assert apart.distance > 0.9
    assert apart.chance is not None
    assert apart.chance < 0.01


def test_few_times_are_not_tested() -> None:
    """Four cases say nothing about a distribution, and no number pretends that they do."""
    times = {"pay": [1, 2, 3, 4]}
    (spread,) = compare([seen(times_us=times)], [seen(times_us=times)]).spreads
    assert (spread.distance, spread.chance) == (None, None)


def test_only_the_same_runs_are_compared() -> None:
    """Another seed, or another scenario, is another storm."""
    with pytest.raises(ValueError, match="only the same runs"):
        compare([seen(1)], [seen(2)])
    with pytest.raises(ValueError, match="only the same runs"):
        compare([], [])
