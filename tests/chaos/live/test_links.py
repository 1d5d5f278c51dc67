"""The links of the live world are those of the simulated one, each behind a proxy of its own."""

from __future__ import annotations

from itertools import count

from chaos.live.links import Links, ends
from chaos.opening import Opening
from reference_platform import designs
from scenarios import loading


def opening() -> Opening:
    return Opening(loading.load("callback_late"), designs.load("resilient"), 1)


def links(*, replica: bool = False) -> Links:
    start = opening()
    workload = start.scenario.workload
    stores = ["database", "replica"] if replica else ["database"]
    parts = [*stores, "edge", "users", *start.node_names(), *workload.channels(), *workload.suppliers()]
    addresses = {name: f"127.0.0.1:{1000 + n}" for n, name in enumerate(parts)}
    return Links(start, addresses, count(2000).__next__)


def test_every_link_that_a_rule_can_name_is_there() -> None:
    """Whatever `between` may say of a node that runs, the live world has, under the same name."""
    nodes = opening().node_names()
    nameable = {
        end
        for end in opening().scenario.links()
        if all(not name.startswith("platform-") or name in nodes for name in end)
    }
    assert nameable <= set(ends(opening(), replica=True))


def test_no_link_leads_past_its_proxy() -> None:
    """Nobody is told the port of a real part, and no two links share a proxy."""
    found = list(links())
    assert len({link.port for link in found}) == len(found)
    assert not {f"127.0.0.1:{link.port}" for link in found} & {link.upstream for link in found}


def test_patterns_hit_what_they_hit_in_the_simulated_world() -> None:
    """The caller comes first, and a star stands for all nodes."""
    assert [link.name for link in links().hit(("platform-*", "wechat"))] == [
        f"{node}->wechat" for node in opening().node_names()
    ]
    assert [link.name for link in links().hit(("wechat", "edge"))] == ["wechat->edge"]
    assert links().hit(("edge", "wechat")) == []


def test_without_a_replica_no_link_leads_to_one() -> None:
    """A rule about a replica that is not there touches nothing, and the run says so."""
    assert links().hit(("*", "replica")) == []
    assert len(links(replica=True).hit(("*", "replica"))) == len(opening().node_names())
