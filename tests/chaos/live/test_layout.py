"""What the processes of a run are told, and what of a run is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chaos.live.conductor import Figures
from chaos.live.database import DatabaseUnfit
from chaos.live.layout import Layout
from chaos.live.leavings import keep
from chaos.live.options import discreet
from chaos.live.ports import Ports
from chaos.live.settings import EdgeSettings, read
from chaos.live.store import address_of, wants_replica
from chaos.live.world import slots
from chaos.opening import Opening
from reference_platform import designs
from scenarios import loading
from scenarios.model import Scenario


def layout(directory: Path, ports: Ports, **changes: object) -> Layout:
    scenario = loading.load("callback_late").model_copy(update=changes)
    opening = Opening(scenario, designs.load("resilient"), 1)
    return Layout.draw(opening, directory, ports, {"database": "127.0.0.1:5432"}, 2)


def test_no_process_is_told_the_address_of_a_real_part(tmp_path: Path) -> None:
    """It knows the proxies in front of what it calls, and its own port; so no fault can be gone round."""
    with Ports() as ports:
        made = layout(tmp_path, ports)
        told = {name: [made.counterparty(name).edge] for name in made.parties}
        for name in made.opening.node_names():
            told[name] = [*made.node(name, "", "", "s").links.values()]
        real = {f"http://{made.health(name)}" for name in made.ports}
        assert all(told.values())
        assert [name for name, addresses in told.items() if real & set(addresses)] == []


def test_each_node_has_a_door_of_its_own_at_every_part_that_it_calls(tmp_path: Path) -> None:
    """So the part knows by which link a message came. No two doors are one, and none is the part's own port."""
    with Ports() as ports:
        made = layout(tmp_path, ports)
        calls = {(node, part) for node in made.opening.node_names() for part in (*made.parties, "users")}
        behind = {(link.caller, link.callee): link.upstream for link in made.links}
        doors = {
            (node, part): f"127.0.0.1:{port}"
            for part in (*made.parties, "users")
            for node, port in made.counterparty(part).doors.items()
        }
        assert doors.keys() == calls
        assert {ends: behind[ends] for ends in calls} == doors
        own = [made.health(name) for name in made.ports]
        assert len({*doors.values(), *own}) == len(calls) + len(own)


def test_each_load_process_has_a_place_of_its_own(tmp_path: Path) -> None:
    """Slots, journals, figures and numbers of operations do not overlap."""
    with Ports() as ports:
        order = layout(tmp_path, ports).load(None)
    for places in (order.slots, order.journals, order.figures, order.ops_from):
        assert len(set(map(str, places))) == 2


def test_the_balancer_reaches_nodes_through_proxies_and_looks_itself_whether_they_are_up(
    tmp_path: Path,
) -> None:
    """A node whose software is down is skipped, as a health check would; the proxy would not show it."""
    with Ports() as ports:
        made = layout(tmp_path, ports)
        for node in made.edge().nodes:
            assert node.url == made.links.url("edge", node.name)
            assert node.probe == f"127.0.0.1:{made.ports[node.name]}"


def test_a_replica_is_started_only_when_the_storm_is_about_one() -> None:
    """A lagging replica keeps the clock from leaping, so nobody has one without need."""
    data = loading.load("callback_late").model_dump(mode="json", by_alias=True)
    data["expect"] = {}
    assert not wants_replica(Scenario.model_validate(data))
    about = {**data, "faults": [{"fault": "database.replica_lag", "lag": "1s"}]}
    assert wants_replica(Scenario.model_validate(about))
    cut = {**data, "faults": [{"fault": "link.down", "between": ["platform-*", "replica"]}]}
    assert wants_replica(Scenario.model_validate(cut))


def test_a_given_database_must_have_a_host_to_put_a_proxy_in_front_of() -> None:
    """A socket in the file system cannot be cut."""
    assert address_of("postgresql://me@db.example:6432/x") == "db.example:6432"
    assert address_of("host=127.0.0.1 dbname=x") == "127.0.0.1:5432"
    for url in ("postgresql:///x", "host=/run/postgresql", "host=a,b"):
        with pytest.raises(DatabaseUnfit, match="name one host"):
            address_of(url)


def test_logs_and_figures_of_a_run_are_kept(tmp_path: Path) -> None:
    """Empty logs are left out; what an earlier run of that name left is replaced."""
    run, target = tmp_path / "run", tmp_path / "live" / "storm-naive-1"
    (run / "logs").mkdir(parents=True)
    (run / "logs" / "edge.log").write_text("")
    (run / "logs" / "platform-1.log").write_text("went wrong\n")
    (run / "load_stats.csv").write_text("a,b\n")
    target.mkdir(parents=True)
    (target / "old").write_text("")
    keep(run, target, Figures(leaps=3), [run / "load-0.figures"])
    assert sorted(path.name for path in target.iterdir()) == [
        "clock.json",
        "load.json",
        "load_stats.csv",
        "logs",
    ]
    assert [path.name for path in (target / "logs").iterdir()] == ["platform-1.log"]
    assert json.loads((target / "clock.json").read_text())["leaps"] == 3
    assert json.loads((target / "load.json").read_text()) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@db.example:6432/shop",
        "postgresql://db.example:6432/shop?user=me&password=s3cret",
        "host=db.example port=6432 dbname=shop user=me password=s3cret",
    ],
)
def test_a_kept_command_line_holds_no_password(url: str) -> None:
    """It goes into campaign.json and every report. Without the password it names the same database."""
    for words in (["live", "--database-url", url], ["live", f"--database-url={url}"]):
        kept = " ".join(discreet(words, url))
        assert "s3cret" not in kept
        assert address_of(kept.partition("--database-url")[2].strip(" =")) == "db.example:6432"
    open_one = ["live", "--database-url", "postgresql://me@db.example/shop"]
    assert discreet(open_one, open_one[-1]) == open_one
    assert discreet(["live", "calm_trade"], None) == ["live", "calm_trade"]


@pytest.mark.parametrize("raw", [None, b"{", b'{"name": "\xff"}', b'{"name": 1}'])
def test_settings_that_cannot_be_used_end_the_process_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], raw: bytes | None
) -> None:
    """Its log names the file and what is wrong with it."""
    path = tmp_path / "edge.json"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(SystemExit) as ended:
        read(["balancer", str(path)], EdgeSettings)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"{path}: ")


def test_every_process_has_a_slot_in_the_clock(tmp_path: Path) -> None:
    """However many nodes and load processes are wanted: one too many would not start."""
    scenario = loading.load("callback_late")
    knobs = scenario.knobs.model_copy(update={"nodes": 16})
    opening = Opening(scenario.model_copy(update={"knobs": knobs}), designs.load("resilient"), 1)
    with Ports() as ports:
        made = Layout.draw(opening, tmp_path, ports, {"database": "127.0.0.1:5432"}, 40)
    assert slots(opening, 40) == len({"orchestrator", "background", *made.ports, *made.loads})
