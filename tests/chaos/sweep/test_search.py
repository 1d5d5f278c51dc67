"""The sweep: which sets of strikes are tried, that none is tried twice, and that pruning loses nothing."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from chaos.behaviour import behaviour
from chaos.engines import LOCAL, engine
from chaos.run import run
from chaos.sweep import Ground, sweep
from chaos.sweep.ground import Seen, look
from chaos.sweep.search import Sweep, _draw, _Walk
from chaos.sweep.vocabulary import CRASH, chosen, known
from scenarios import loading
from scenarios.checking import problems
from scenarios.documents import DocumentError

QUICK = ("database.lost_commit_ack", CRASH, "user.double_submit")


@cache
def ground(journey: str, design: str = "resilient", names: tuple[str, ...] = QUICK) -> Ground:
    return Ground.of(loading.load(journey), design, 1, names)


def tried(
    result: Ground, k: int, *, pruned: bool, monkeypatch: pytest.MonkeyPatch
) -> dict[tuple[str, ...], Seen]:
    """Every set that a sweep runs, and what was seen."""
    seen: dict[tuple[str, ...], Seen] = {}
    runs = 0
    add = Sweep.add

    def note(self: Sweep, strikes: tuple[str, ...], one: Seen) -> None:
        nonlocal runs
        runs += 1
        seen[strikes] = one
        add(self, strikes, one)

    with monkeypatch.context() as patched:
        patched.setattr(Sweep, "add", note)
        sweep(result, k, pruned=pruned)
    assert runs == len(seen)
    return seen


def test_no_set_is_tried_twice_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strikes come in the order in which they land, so a set has one name."""
    found = tried(ground("wallet_pair"), 2, pruned=False, monkeypatch=monkeypatch)
    assert len({frozenset(strikes) for strikes in found}) == len(found)
    assert all(len(set(strikes)) == len(strikes) for strikes in found)


def test_every_strike_of_every_set_lands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set is a combination of faults that happened, not of some that were only meant."""
    here = ground("wallet_pair")
    for strikes in tried(here, 2, pruned=True, monkeypatch=monkeypatch):
        case = here.case(strikes)
        assert set(run(case.scenario, case.design, case.seed, plan=case.plan).plan) == set(case.plan or {})


def test_retries_that_only_a_fault_brings_about_are_sites_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second attempt exists because the first was lost; losing both is among the pairs."""
    here = ground("card_order", names=("link.loss_before",))
    pairs = [strikes for strikes in tried(here, 2, pruned=True, monkeypatch=monkeypatch) if len(strikes) == 2]
    create = "/link.loss_before/platform-1->wechat/create/order-u0-k0/c1/"
    callback = "/link.loss_before/wechat->edge/callback/order-u0-k0/c1/"
    assert any(
        first.endswith(f"{callback}n1/1") and second.endswith(f"{callback}n1/2") for first, second in pairs
    )
    assert any(first.endswith(f"{create}1") and create in second for first, second in pairs)


@pytest.mark.parametrize(
    ("journey", "design"),
    [
        ("wallet_order", "resilient"),
        ("wallet_order", "naive"),
        ("wallet_pair", "planted.wallet_read_then_written"),
    ],
)
def test_pruning_loses_no_behaviour_and_no_violation(
    journey: str, design: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pruned and unpruned sweeps see the same kinds of runs and the same broken invariants."""
    here = ground(journey, design, (*QUICK, "link.loss_after"))
    whole = tried(here, 2, pruned=False, monkeypatch=monkeypatch)
    part = tried(here, 2, pruned=True, monkeypatch=monkeypatch)
    assert set(part) <= set(whole)
    assert len(part) < len(whole)
    assert {tuple(seen.verdicts.items()) for seen in part.values()} == {
        tuple(seen.verdicts.items()) for seen in whole.values()
    }
    states = {_states(here, strikes) for strikes in whole} - {_states(here, strikes) for strikes in part}
    assert states == set()


def twins(*runs: tuple[str, str]) -> list[bool]:
    """Whether each run (the events it saw, the sites it can still be struck at) is one that need not be gone on from."""
    with engine(LOCAL, 1) as ready:
        walk = _Walk(Sweep(ground("wallet_pair"), 2), ready, None, pruned=True, stop_first=False)
        return [
            walk._has_twin(Seen("", {}, {}, [(ord(site), site) for site in sites], events))
            for events, sites in runs
        ]


@pytest.mark.parametrize(
    ("earlier", "later", "twin"),
    [
        (("same", "abc"), ("same", "abc"), True),
        (("same", "abc"), ("same", "bc"), True),  # it came there a strike later
        (("same", "abc"), ("same", ""), True),
        (("same", "abc"), ("other", "abc"), False),
        (("same", "abc"), ("same", "abd"), False),
        (("same", "abc"), ("same", "ab"), False),  # the end is what is still to come
        (("same", "bc"), ("same", "abc"), False),  # more can still be struck
    ],
)
def test_a_run_is_left_out_only_for_one_that_saw_the_same_and_can_be_struck_wherever_it_can(
    earlier: tuple[str, str], later: tuple[str, str], twin: bool
) -> None:
    """Same events and the same sites ahead: whatever is added to the one was or will be added to the other."""
    assert twins(earlier, later) == [False, twin]


def test_every_earlier_run_may_be_the_twin() -> None:
    """Not only the one before; and a twin that was left out stands for nobody."""
    assert twins(("same", "abc"), ("same", "xyz"), ("same", "abc")) == [False, False, True]
    assert twins(("same", "abc"), ("same", "bc"), ("same", "c"), ("same", "d")) == [False, True, True, False]


def _states(here: Ground, strikes: tuple[str, ...]) -> str:
    """The kinds of things that happened but for the looks of users, which the pruning leaves alone."""
    case = here.case(strikes)
    events = run(case.scenario, case.design, case.seed, plan=case.plan).history.events
    return behaviour(
        [
            event
            for event in events
            if "view_" not in str(getattr(event, "action", "")) and "fault" not in dir(event)
        ]
    )


def test_workers_change_neither_the_runs_nor_their_digest() -> None:
    """One process or two: the levels are the same, digest by digest."""
    here = ground("wallet_pair")
    assert sweep(here, 2, 1).levels == sweep(here, 2, 2).levels


def test_a_violation_is_kept_with_a_plan_that_replays_it() -> None:
    """The plan in the certificate alone brings the violation about."""
    here = ground("card_order", "naive")
    result = sweep(here, 1, stop_first=True)
    assert result.cut_short
    one = result.violations[0]
    case = here.case(one.strikes)
    again = run(case.scenario, case.design, case.seed, plan=one.plan)
    assert (again.digest, again.violated) == (one.digest, one.violated)


def test_the_own_faults_of_a_journey_strike_always_and_are_not_counted() -> None:
    """Both suppliers refuse in the refund journey, also when a strike makes the platform ask again."""
    here = ground("refund_order", names=("link.duplicate",))
    for _, strike in look(here, (), deeper=True).reached:
        assert look(here, (strike,), deeper=False).verdicts == {}
    assert here.case(()).plan == here.given != {}


def test_cases_of_a_sweep_are_scenarios_that_check() -> None:
    """Whatever is swept can be written to a file, replayed and shrunk: the rules are valid where they are."""
    for journey in loading.journeys():
        here = ground(journey, names=chosen(["*"]))
        strikes = [strike for _, strike in look(here, (), deeper=True).reached if strike.startswith(CRASH)]
        assert strikes
        assert list(problems(here.case(tuple(strikes)).scenario)) == []


def test_names_of_faults_may_be_patterns_and_unknown_ones_are_named() -> None:
    """`link.*` means all of them; a mistake is answered with the nearest name."""
    assert chosen(["link.*"]) == ("link.loss_before", "link.loss_after", "link.duplicate")
    assert set(chosen([])) < set(known()) == set(chosen(["*"]))
    with pytest.raises(DocumentError, match=r"did you mean 'node\.crash'"):
        chosen(["node.crush"])


@pytest.mark.parametrize("runs", [1, 40, 41, 1000, 5003])
def test_a_sample_is_a_spread_of_all_runs(runs: int) -> None:
    """At most forty, evenly from the first to the last."""
    sample: list[tuple[tuple[str, ...], str]] = []
    for count in range(1, runs + 1):
        _draw(sample, count, ((str(count),), ""))
    numbers = [int(strikes[0]) for strikes, _ in sample]
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    assert numbers[0] == 1
    assert len(numbers) <= 40
    assert len(steps) <= 1
    assert runs < 40 or len(numbers) >= 20
