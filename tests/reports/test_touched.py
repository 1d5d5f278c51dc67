"""What faults touched: counts of all runs, and what the evidence of real parts says; silence is never hidden."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from chaos.history import Fault
from chaos.results import SIM
from chaos.words import Words
from reports import TEXTS, touched
from reports.reading import read
from tests.reports import campaigns, realparts

WORDS = Words("en", TEXTS)


def end(site: str, **data: object) -> Fault:
    return Fault(t_us=1, fault=site.split("/")[1], phase="end", site=site, data=data)


def test_each_rule_is_counted_over_all_runs_of_a_design(tmp_path: Path) -> None:
    """Three seeds with four touches each."""
    campaign = read(campaigns.write(tmp_path / "results", scenarios=1, seeds=3))
    [row] = touched.rows(campaign, WORDS)
    assert (row["fault"], row["where"]) == ("callback lost", "wechat")
    assert [cell["text"] for cell in row["cells"]] == ["12 times", "12 times"]


def test_a_fault_that_touched_nothing_stands_out(tmp_path: Path) -> None:
    """It says so, in the tone of a warning; a design that never ran has a dash."""
    campaign = read(campaigns.write(tmp_path / "results", scenarios=1, seeds=1))
    campaign.pairs["calm_trade", "naive"].touched["0/channel.callback_loss/wechat"] = 0
    campaign.pairs["calm_trade", "resilient"].runs = 0
    [row] = touched.rows(campaign, WORDS)
    assert [(cell["text"], cell["tone"]) for cell in row["cells"]] == [("nothing", "warn"), ("–", "quiet")]


def test_evidence_of_real_parts_is_added_up_by_rule_and_names_processes() -> None:
    """Connections and bytes of links, processes of nodes, sessions of a database."""
    cut = end("0/link.partition/edge->wechat/window", **realparts.CUT)
    assert touched.told([cut, cut], WORDS) == ["24 connections, 25,056 bytes"]
    killed = end("1/node.crash/acting/window", node="platform-1", pid=4711, connections=4, touched=1)
    assert touched.told([killed], WORDS) == ["platform-1, process 4711", "4 connections"]
    crashed = end("2/database.crash/database/window", pid=815, sessions=1, touched=1)
    assert touched.told([crashed], WORDS) == ["the server, process 815", "1 database session"]
    assert touched.told([killed] * 6, WORDS)[4] == "and 2 more processes"
    assert touched.told([end("3/node.pause/x/window", touched=0)], WORDS) == []


def test_evidence_is_shown_of_the_run_that_is_drawn(tmp_path: Path) -> None:
    """Of real parts only: simulated ones have nothing to add to the count."""
    directory = realparts.write(tmp_path / "results", seeds=3)
    cut = {
        "kind": "fault",
        "t_us": 0,
        "fault": "channel.callback_loss",
        "phase": "end",
        "site": "0/channel.callback_loss/wechat/window",
        "data": realparts.CUT,
    }
    for file in directory.glob("[fs]a*/*/history.jsonl"):
        head, rest = file.read_text("utf-8").split("\n", 1)
        file.write_text("\n".join([head, json.dumps(cut), rest]), "utf-8")
    campaign = read(directory)
    stormy = next(
        row for row in touched.rows(campaign, WORDS) if row["scenario"] == "Payment callbacks are lost"
    )
    assert [cell["lines"] for cell in stormy["cells"]] == [["12 connections, 12,528 bytes"]] * 2
    campaign.meta = msgspec.structs.replace(campaign.meta, world=SIM)
    assert not any(cell["lines"] for row in touched.rows(campaign, WORDS) for cell in row["cells"])


def test_where_a_rule_strikes_whoever_acted_is_told_in_words(tmp_path: Path) -> None:
    """`acting` is a word of scenarios, not of readers."""
    campaign = read(campaigns.write(tmp_path / "results", scenarios=1, seeds=1))
    campaign.pairs["calm_trade", "naive"].touched["10/node.crash/acting"] = 1
    assert [row["where"] for row in touched.rows(campaign, WORDS)] == ["wechat", "the node that acted"]
