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


def storms(broken: int, runs: int, design: str = "naive") -> list[Look]:
    """So many runs, of which the first ones broke an invariant."""
    return [
        seen(seed, design=design, outcomes={"I-01": "violated" if seed <= broken else "holds"})
        for seed in range(1, runs + 1)
    ]


def test_worlds_agree_that_broke_the_same_invariants_in_any_of_their_runs() -> None:
    """Real processes race otherwise than simulated ones, so seeds need not agree one by one."""
    broken = {"I-01": "violated"}
    found = compare([seen(1, outcomes=broken), seen(2)], [seen(1), seen(2, outcomes=broken)])
    assert found.differing == []
    assert [(one.sim, one.sim_runs, one.live, one.live_runs) for one in found.verdicts] == [(1, 2, 1, 2)]


def test_what_only_real_parts_break_is_a_difference() -> None:
    """However many runs were simulated: the model does not know how it comes about."""
    for runs in (1, 60):
        found = compare(storms(0, runs), storms(1, 1))
        assert [(one.invariant, one.missed) for one in found.differing] == [("I-01", None)]


@pytest.mark.parametrize(
    ("broken", "real_runs", "missed", "agrees"),
    [
        (60, 1, 1 / 61, False),
        (45, 1, 16 / 61, True),
        (45, 3, 4896 / 238266, False),
        (3, 3, 205320 / 238266, True),
    ],
)
def test_what_real_parts_did_not_break_is_a_difference_when_chance_hardly_explains_it(
    broken: int, real_runs: int, missed: float, agrees: bool
) -> None:
    """Of 60 simulated runs so many broke; Fisher's exact test says how likely the real ones all miss it."""
    (verdict,) = compare(storms(broken, 60), storms(0, real_runs)).verdicts
    assert verdict.missed == pytest.approx(missed)
    assert verdict.agrees is agrees


def test_a_verdict_that_nobody_could_give_is_undecided() -> None:
    """It is no difference, but no agreement either."""
    found = compare([seen()], [seen(outcomes={"I-01": "unknown"})])
    assert found.differing == []
    assert [one.live_unknown for one in found.undecided] == [1]


def test_a_storm_that_holds_in_both_worlds_is_no_difference_whatever_other_storms_do() -> None:
    """Seed 60 breaks nothing, simulated or real; that every other seed does says nothing of it."""
    real = [seen(60, outcomes={"I-01": "holds"})]
    (verdict,) = compare(storms(59, 60), real).verdicts
    assert (verdict.beside, verdict.missed, verdict.agrees) == (0, None, True)


def test_designs_are_compared_each_with_itself() -> None:
    """What breaks on one design says nothing of another."""
    sim = [*storms(60, 60), *storms(0, 60, "resilient")]
    live = [*storms(0, 1), *storms(1, 1, "resilient")]
    assert [(one.design, one.agrees) for one in compare(sim, live).verdicts] == [
        ("naive", False),
        ("resilient", False),
    ]


def test_status_changes_are_counted_in_each_world() -> None:
    """One that was seen in one world only stands out by a zero; storms that were only simulated count for nothing."""
    sim = [seen(steps={"created → paid": 2}), seen(2, steps={"created → paid": 9})]
    found = compare(sim, [seen(steps={"created → closed": 1})])
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


@pytest.mark.parametrize("count", [5, 30])
def test_times_that_lie_between_each_other_are_tested_without_a_word(count: int) -> None:
    """Their exact chance does not always come out; that of the limit takes its place, and nobody is warned."""
    base = [1_000 * n for n in range(1, count + 1)]
    between = [us + 500 for us in base]
    (spread,) = compare([seen(times_us={"pay": base})], [seen(times_us={"pay": between})]).spreads
    assert spread.distance == pytest.approx(1 / count)
    assert spread.chance == pytest.approx(1.0)


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
        compare([seen(1)], [])
    with pytest.raises(ValueError, match="only the same runs"):
        compare([], [])


def test_a_verdict_that_no_simulated_run_could_give_is_undecided_too() -> None:
    """In either world; what all could give is not."""
    found = compare(
        [seen(outcomes={"I-01": "unknown", "I-02": "holds"})],
        [seen(outcomes={"I-01": "holds", "I-02": "holds"})],
    )
    assert [(one.invariant, one.sim_unknown, one.live_unknown) for one in found.undecided] == [("I-01", 1, 0)]


def test_only_what_simulated_runs_break_and_real_ones_do_not_can_have_been_missed() -> None:
    """Broken nowhere, in both worlds, or in the real one alone: there is no chance to speak of."""
    for simulated, real in ((0, 0), (1, 1), (0, 1)):
        (verdict,) = compare(storms(simulated, 3), storms(real, 3)).verdicts
        assert verdict.missed is None


def test_five_values_in_either_world_are_enough_and_four_are_not() -> None:
    """Below that a distribution cannot be spoken of; times are told in ms."""
    for real, enough in ((4, False), (5, True)):
        found = compare(
            [seen(times_us={"click": [1_000 * n for n in range(1, 6)]})],
            [seen(times_us={"click": [1_000 * n for n in range(1, real + 1)]})],
        )
        (spread,) = found.spreads
        assert (spread.distance is not None, spread.sim_ms) == (enough, [1, 2, 3, 4, 5])


@pytest.mark.parametrize("real", [[], [seen(2)]])
def test_runs_that_were_not_simulated_cannot_be_compared(real: list[Look]) -> None:
    """None at all, or another seed."""
    with pytest.raises(ValueError, match="only the same runs of one scenario can be compared"):
        compare([seen(1)], real)


def test_runs_of_two_scenarios_cannot_be_compared() -> None:
    """What they break has different reasons."""
    other = Look("other", "naive", 2, {}, {}, {}, {})
    with pytest.raises(ValueError, match="of one scenario"):
        compare([seen(1), other], [seen(1)])
