"""Load: the simulator's own people, over HTTP from Locust's processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chaos.history import Event, Invoke
from chaos.live.clock import SharedClock
from chaos.live.conductor import Conductor
from chaos.live.journal import OPS_EACH, merge
from chaos.live.load import command, figures
from chaos.live.load.figures import Figures
from chaos.live.load.order import LoadOrder, load
from chaos.live.ports import Ports
from chaos.live.processes import Supervisor
from chaos.opening import Opening
from chaos.worker import dump
from reference_platform import designs
from scenarios import loading
from scenarios.model import Scenario
from tests.chaos.live.till import TinyShop
from tests.undisturbed import undisturbed

FOREVER_S = 240.0
HOUR_US = 3_600_000_000


def rush(orders: int, rate_per_s: float) -> Scenario:
    """Many card orders from two members, soon after each other."""
    document = dump(loading.load("calm_trade"))
    document["name"] = "rush"
    document["workload"] |= {
        "orders": orders,
        "members": 2,
        "arrivals": {"shape": "constant", "rate_per_s": rate_per_s},
    }
    return Scenario.model_validate(document)


class Made:
    """What came of a load: figures, events, exit codes."""

    def __init__(self, order: LoadOrder, codes: list[int]) -> None:
        self.codes = codes
        self.figures = figures.load(map(Path, order.figures))
        self.events: list[Event] = merge(map(Path, order.journals))

    def placed(self) -> list[Invoke]:
        return [each for each in self.events if isinstance(each, Invoke) and each.action == "place_order"]


def make_load(folder: Path, scenario: Scenario, shop: TinyShop, workers: int = 1, **limits: Any) -> Made:
    """Load from Locust against a shop, with a clock that leaps."""
    clock = SharedClock.create(folder / "clock", 4)
    order = LoadOrder(
        scenario=dump(scenario),
        design="naive",
        seed=1,
        clock=str(folder / "clock"),
        slots=[f"load-{number}" for number in range(workers)],
        journals=[str(folder / f"load-{number}.jsonl") for number in range(workers)],
        ops_from=[number * OPS_EACH for number in range(workers)],
        figures=[str(folder / f"load-{number}.json") for number in range(workers)],
        edge=shop.address,
        channels=dict.fromkeys(scenario.workload.channels(), shop.address),
        key="a key of thirty-two bytes, for tests",
        end_us=HOUR_US,
        openings=str(folder / "openings"),
        **limits,
    )
    environment = {**os.environ, **command.environment(order.save(folder / "order.json"))}
    csv = folder / "load"
    with Supervisor(folder) as supervisor, Ports() as ports:
        commands = {"alone": command.alone(csv)}
        if workers > 1:
            port = ports.free()
            commands = {"master": command.master(csv, workers, port)}
            commands |= {f"worker-{number}": command.worker(port) for number in range(workers)}
        started = [
            supervisor.start(name, words, env=environment, cwd=Path.cwd()) for name, words in commands.items()
        ]
        for child in started:
            supervisor.wait_ready(child, lambda: sum(bool(look.pid) for look in clock.looks()) == workers)
        with Conductor(clock):
            codes = [child.wait(FOREVER_S) for child in started]
    clock.close()
    return Made(order, codes)


@pytest.fixture
def shop() -> Iterator[TinyShop]:
    shop = TinyShop()
    yield shop
    shop.close()


def test_people_arrive_when_the_seed_says_as_in_the_simulator(tmp_path: Path, shop: TinyShop) -> None:
    """The loop is open: same people, same wishes, same times; nobody before their time."""
    scenario = loading.load("calm_trade")
    made = make_load(tmp_path, scenario, shop)
    wishes = list(Opening(scenario, designs.load("naive"), 1).wishes())
    assert made.codes == [0]
    assert [(each.user, each.args["sku"]) for each in made.placed()] == [
        (wish.user, wish.sku) for wish in wishes
    ]
    assert all(each.t_us >= wish.at_us for each, wish in zip(made.placed(), wishes, strict=True))
    assert made.figures.arrivals == len(wishes) == len(shop.orders)


def test_workers_share_the_arrivals_and_none_is_lost_or_doubled(tmp_path: Path, shop: TinyShop) -> None:
    """Locust's own master and two workers: together the very arrivals of one process."""
    scenario = loading.load("calm_trade")
    made = make_load(tmp_path, scenario, shop, workers=2)
    assert made.codes == [0, 0, 0]
    keys = [each.args["client_key"] for each in made.placed()]
    assert sorted(keys) == sorted(
        f"k{wish.number}" for wish in Opening(scenario, designs.load("naive"), 1).wishes()
    )
    assert made.figures.arrivals == len(keys)


def test_a_stall_shows_in_the_open_loop_and_hides_in_the_closed_one(tmp_path: Path) -> None:
    """Sixty orders come due while the shop stalls: all of them waited, a closed loop of two members sees two."""
    folders = count()

    def measured() -> Made:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        with closing(TinyShop(stall_after=20, stall_s=2.0)) as shop:
            return make_load(folder, rush(80, 40.0), shop)

    def slow(us: Sequence[int]) -> int:
        return sum(each > 500_000 for each in us)

    # A machine that stalls, too, is waited for by more requests than the two that the shop kept.
    made = undisturbed(measured, lambda made: slow(made.figures.actions["place_order"].closed_us) <= 4)
    (row,) = [row for row in figures.rows(made.figures) if row.action == "place_order"]
    one = made.figures.actions["place_order"]
    assert row.requests == 80
    assert slow(one.open_us) > 20
    assert slow(one.closed_us) <= 4
    assert row.open_ms["p90"] > 2 * row.closed_ms["p50"]


def test_what_cannot_be_started_is_dropped_and_counted(tmp_path: Path) -> None:
    """At most three requests at once: the rest of a rush on a stalled shop is dropped, not queued out of sight."""
    with closing(TinyShop(stall_after=0, stall_s=1.5)) as shop:
        made = make_load(tmp_path, rush(30, 100.0), shop, open_max=3)
    one = made.figures.actions["place_order"]
    assert one.dropped > 0
    assert len(one.open_us) + one.dropped >= 30


def test_an_error_in_the_load_ends_it_with_a_code_of_its_own(tmp_path: Path, shop: TinyShop) -> None:
    """A load that broke is no load that found nothing: exit 4, at once, not tried again."""
    scenario = loading.load("calm_trade")
    shop.placed = lambda body: {"nonsense": True}  # type: ignore[method-assign] # noqa: ARG005
    assert make_load(tmp_path, scenario, shop).codes == [4]


def test_an_order_that_is_none_is_named(tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "order.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"order\.json: not an order for load: .*scenario"):
        load(path)


def test_figures_of_several_processes_are_counted_together() -> None:
    """Requests, failures, dropped work and arrivals add up; the longest process says how long it took."""
    one, other = Figures(arrivals=1, real_s=2.0), Figures(arrivals=2, real_s=1.0)
    one.answered("view_order", 0, 100, 1_100, failed=False, alone=True)
    other.answered("view_order", 0, 0, 5_000, failed=True, alone=False)
    other.dropped("pay")
    one.add(other)
    view, pay = figures.rows(one)
    assert (one.arrivals, one.real_s) == (3, 2.0)
    assert (view.requests, view.failed, view.open_ms["p100"], view.closed_ms["p100"]) == (2, 1, 5.0, 1.0)
    assert (pay.action, pay.requests, pay.dropped, pay.open_ms) == ("pay", 0, 1, {})
