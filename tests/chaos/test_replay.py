"""A case is data: it can be kept, read again, and some of its people left out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from chaos.history import Invoke
from chaos.replay import Case, Recorded
from chaos.results import ResultsError
from chaos.run import RunResult
from chaos.worker import artefacts, line
from scenarios import loading

CASE = Case(loading.load("callback_doubled"), "resilient", 3)


def placed(result: RunResult) -> dict[str, tuple[int, str, str]]:
    """When who ordered what, by client key."""
    return {
        str(event.args["client_key"]): (event.t_us, event.user, str(event.args["sku"]))
        for event in result.history.events
        if isinstance(event, Invoke) and event.action == "place_order"
    }


def kept(case: Case, result: RunResult, directory: Path) -> Recorded:
    run = line(case.scenario, case.design, case.seed, result)
    for name, content in artefacts(case.scenario, run, result).items():
        (directory / name).write_bytes(content)
    return Recorded.read(directory)


def test_those_who_are_kept_come_as_they_came_among_all() -> None:
    """Leaving orders out moves nobody: same time, same member, same wish, and the others are not there."""
    everybody = placed(CASE.run())
    few = Case(CASE.scenario, CASE.design, CASE.seed, keep=(2, 5)).run()
    assert placed(few) == {key: everybody[key] for key in ("k2", "k5")}
    assert (few.orders, few.keep) == (2, (2, 5))


def test_a_kept_run_says_who_was_left_out(tmp_path: Path) -> None:
    """plan.json has the numbers, and the run comes back to the same digest."""
    case = Case(CASE.scenario, CASE.design, CASE.seed, keep=(2, 5))
    result = case.run()
    recorded = kept(case, result, tmp_path)
    assert recorded.keep == (2, 5)
    assert recorded.run().digest == recorded.digest == result.digest


def test_a_plan_from_before_orders_could_be_left_out_means_everybody(tmp_path: Path) -> None:
    """The field may be missing: the schema number is the same."""
    result = CASE.run()
    kept(CASE, result, tmp_path)
    data = msgspec.json.decode((tmp_path / "plan.json").read_bytes())
    del data["keep"]
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(data))
    recorded = Recorded.read(tmp_path)
    assert recorded.keep is None
    assert recorded.run().digest == result.digest


@pytest.mark.parametrize("field", ["scenario", "design", "plan", "digest"])
def test_a_plan_without_what_makes_the_run_is_damaged(tmp_path: Path, field: str) -> None:
    """One message that names the file."""
    kept(CASE, CASE.run(), tmp_path)
    data = msgspec.json.decode((tmp_path / "plan.json").read_bytes())
    del data[field]
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(data))
    with pytest.raises(ResultsError, match=r"plan\.json: damaged"):
        Recorded.read(tmp_path)


def test_keys_tell_cases_apart_by_what_they_are() -> None:
    """Equal data, equal key; each part counts."""
    same = Case(loading.load("callback_doubled"), "resilient", 3)
    others = [
        Case(CASE.scenario, "naive", 3),
        Case(CASE.scenario, "resilient", 4),
        Case(CASE.scenario, "resilient", 3, plan={}),
        Case(CASE.scenario, "resilient", 3, keep=(1,)),
        Case(CASE.scenario.model_copy(update={"faults": ()}), "resilient", 3),
    ]
    assert same.key() == CASE.key()
    assert len({CASE.key(), *(other.key() for other in others)}) == 6
