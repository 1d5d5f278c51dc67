"""Arrivals: open-loop, keyed, lazy, and of the shape they were asked for."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from sim.randomness import Streams, Weighted
from sim.traffic import Arrival, Burst, Constant, Demand, Shape, StepPeak, arrivals

DEMAND = Demand(
    people=50,
    products=Weighted(["a", "b", "c"], [6, 3, 1]),
    pay_with=Weighted(["wechat", "alipay"], [3, 1]),
    quantity_min=1,
    quantity_max=3,
)
PEAK = StepPeak(base_per_s=2.0, factor=10.0, at_us=60_000_000)
SHAPES = [Constant(5.0), PEAK, StepPeak(2.0, 10.0, 0, ramp_us=0), Burst(2_000_000)]


def _take(shape: Shape, orders: int, seed: int = 1, keep: set[int] | None = None) -> list[Arrival]:
    return list(arrivals(Streams(seed), shape, DEMAND, orders, keep))


@pytest.mark.parametrize("shape", SHAPES)
def test_all_orders_arrive_in_order_of_time(shape: Shape) -> None:
    """As many as asked for, each number once, never backwards in time."""
    taken = _take(shape, 400)
    times = [arrival.at_us for arrival in taken]
    assert times == sorted(times)
    assert sorted(arrival.number for arrival in taken) == list(range(400))


@pytest.mark.parametrize("shape", SHAPES)
def test_leaving_orders_out_moves_none_of_the_others(shape: Shape) -> None:
    """The shrinker drops whole orders; what stays is the same to the microsecond."""
    everybody = {arrival.number: arrival for arrival in _take(shape, 100)}
    few = _take(shape, 100, keep={3, 50, 99})
    assert sorted(arrival.number for arrival in few) == [3, 50, 99]
    assert all(everybody[arrival.number] == arrival for arrival in few)


def test_the_seed_decides_who_wants_what() -> None:
    """Equal seeds, equal crowds; another seed, another crowd."""
    assert _take(Constant(5.0), 50) == _take(Constant(5.0), 50)
    assert _take(Constant(5.0), 50) != _take(Constant(5.0), 50, seed=2)


def test_a_million_arrivals_are_not_made_before_the_first() -> None:
    """Lazy: the first ten of a hundred million cost ten."""
    crowd = arrivals(Streams(1), Constant(1000.0), DEMAND, 100_000_000)
    assert len(list(islice(crowd, 10))) == 10


def test_choices_follow_their_weights() -> None:
    """Products, ways to pay, quantities and people, each within 3 points of its share in 10,000."""
    taken = _take(Constant(5.0), 10_000)

    def share(chosen: object, field: str) -> float:
        return [getattr(arrival, field) for arrival in taken].count(chosen) / len(taken)

    assert share("a", "sku") == pytest.approx(0.6, abs=0.03)
    assert share("c", "sku") == pytest.approx(0.1, abs=0.03)
    assert share("alipay", "pay_with") == pytest.approx(0.25, abs=0.03)
    assert {arrival.quantity for arrival in taken} == {1, 2, 3}
    assert share(3, "quantity") == pytest.approx(1 / 3, abs=0.03)
    assert {arrival.user for arrival in taken} == {f"u{n}" for n in range(50)}


def test_choices_of_one_arrival_are_independent() -> None:
    """One draw serves four choices: what is bought says nothing about who pays how."""
    taken = _take(Constant(5.0), 20_000)
    by_alipay = [arrival for arrival in taken if arrival.pay_with == "alipay"]
    for field, value, expected in (("sku", "a", 0.6), ("quantity", 1, 1 / 3), ("user", "u0", 1 / 50)):
        share = sum(getattr(arrival, field) == value for arrival in by_alipay) / len(by_alipay)
        assert share == pytest.approx(expected, abs=0.03)


def test_a_constant_rate_is_a_poisson_stream() -> None:
    """Mean gap 1 / rate, and gaps as spread as exponential ones are."""
    times = [arrival.at_us for arrival in _take(Constant(5.0), 10_000)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(200_000, rel=0.05)
    assert deviation == pytest.approx(mean, rel=0.05)


def test_a_step_peak_rises_tenfold_and_halves_in_four_minutes() -> None:
    """Counted in windows: the base, the peak, and half the excess one half-life later."""
    times = [arrival.at_us / 1e6 for arrival in _take(PEAK, 12_000, seed=3)]

    def rate(start_s: float, end_s: float) -> float:
        return sum(start_s <= at_s < end_s for at_s in times) / (end_s - start_s)

    assert rate(0, 60) == pytest.approx(2, rel=0.25)
    assert rate(60, 90) == pytest.approx(11, rel=0.2)  # half-way up the ramp on average
    assert rate(90, 100) == pytest.approx(20, rel=0.15)
    assert rate(310, 350) == pytest.approx(2 + 9, rel=0.15)
    assert rate(90 + 8 * 240, 90 + 8 * 240 + 600) == pytest.approx(2, rel=0.15)


def test_a_burst_is_over_when_it_is_over() -> None:
    """All within the span, spread over all of it."""
    times = [arrival.at_us for arrival in _take(Burst(2_000_000), 1000)]
    assert 0 <= times[0] < 50_000
    assert 1_950_000 < times[-1] < 2_000_000
