"""Fault rules: durations, parameters for the nemesis, sentences, and the table in the manual."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import durations
from scenarios.faults import FAULTS
from scenarios.faults.rule import Rule
from scenarios.faults_table import table

EXAMPLES: dict[str, dict[str, object]] = {
    "link.latency": {"between": ["users", "edge"], "latency": "20ms"},
    "link.bandwidth": {"between": ["users", "edge"], "rate_kb_s": 8},
    "link.slow_close": {"between": ["users", "edge"], "delay": "1s"},
    "link.timeout": {"between": ["users", "edge"], "timeout": "1s"},
    "link.slicer": {"between": ["users", "edge"], "average_size": 100},
    "link.limit_data": {"between": ["users", "edge"], "bytes": 100},
    "link.reorder": {"between": ["users", "edge"], "delay": "1s"},
    "node.pause": {"duration": "30s"},
    "node.clock_skew": {"offset": "-90s"},
    "node.slow": {"factor": 4},
    "database.latency": {"extra": "20ms"},
    "database.replica_lag": {"lag": "2s"},
    "database.slow_disk": {"factor": 10},
    "channel.callback_delay": {"delay": "18min"},
    "channel.callback_reorder": {"spread": "2min"},
    "channel.callback_amount": {"delta_fen": -500},
    "channel.pay_after_close": {"delay": "3min"},
    "channel.query_lag": {"lag": "1min"},
    "supplier.not_found_lag": {"lag": "1min"},
    "supplier.partial": {"fraction": 0.8},
    "supplier.slow": {"delay": "12min"},
    "user.drop": {"back_after": "1min"},
    "user.pay_late": {"delay": "14min"},
    "user.request_refund": {"after_paying": "40s"},
    "user.spend_credit": {"after_credit": "5s"},
}


def rule(name: str, **fields: object) -> Rule:
    given_fields: dict[str, object] = {"between": ["users", "edge"]} if name.startswith("link.") else {}
    return FAULTS[name].model_validate({"fault": name, **given_fields, **EXAMPLES.get(name, {}), **fields})


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_speaks_both_languages_and_gives_the_nemesis_plain_data(name: str) -> None:
    """Durations reach the nemesis as integers of µs under `<name>_us`; common fields and places do not."""
    made = rule(name)
    for lang in ("en", "zh"):
        assert made.describe(lang)
    params = made.params()
    assert not set(params) & (set(Rule.model_fields) - {"after"})
    assert all(isinstance(value, int) for key, value in params.items() if key.endswith("_us"))
    assert made.where()


@pytest.mark.parametrize(
    ("made", "params", "where"),
    [
        (rule("channel.callback_delay", channel="wechat"), {"delay_us": 1_080_000_000}, "wechat"),
        (rule("channel.callback_duplicate"), {"copies": 1, "spacing_us": 0}, "*"),
        (rule("channel.callback_forged", forgery="app"), {"forgery": "app"}, "*"),
        (rule("supplier.false_success"), {"reveal_us": 120_000_000}, "*"),
        (rule("node.clock_skew"), {"offset_us": -90_000_000}, "platform-*"),
        (
            rule("node.crash", node="acting", on="state.orders.paid"),
            {"restart_after_us": 30_000_000},
            "acting",
        ),
        (rule("database.failover"), {"lose_tail": True}, "database"),
        (rule("user.request_refund"), {"after_us": 40_000_000}, "*"),
        (rule("user.spend_credit"), {"after_us": 5_000_000}, "*"),
        (
            rule("link.partition", between=["platform-*", "wechat"], oneway=True),
            {"between": ["platform-*", "wechat"], "oneway": True},
            "platform-*->wechat",
        ),
    ],
)
def test_parameters_and_places_are_what_the_actors_expect(
    made: Rule, params: dict[str, object], where: str
) -> None:
    """These names are a contract with the simulator."""
    assert made.params() == params
    assert made.where() == where


def test_a_rule_says_when_in_words() -> None:
    """What, how much, how likely, and when."""
    late = rule(
        "channel.callback_delay", **{"channel": "wechat", "from": "1min", "until": "9min", "probability": 0.5}
    )
    assert late.describe() == "callbacks of wechat arrive 18min late with probability 0.5, from 1min to 9min"
    crash = rule("node.crash", node="acting", on="state.orders.paid", nth=2, after="5ms")
    assert (
        crash.describe()
        == "the acting node crashes and is back after 30s, 5ms after the second state.orders.paid"
    )
    assert crash.describe("zh") == "当事节点 崩溃，30s 后重启，在第 2 次 state.orders.paid 之后 5ms"
    often = rule("database.crash", restart_after="1s", repeat=20, until="5min")
    assert (
        often.describe()
        == "the database crashes and is back after 1s, 20 times at random moments, from 0s to 5min"
    )
    assert often.describe("zh") == "数据库崩溃，1s 后恢复，随机时刻共 20 次，从 0s 到 5min"


@pytest.mark.parametrize(
    ("name", "fields", "complaint"),
    [
        ("link.down", {}, r"link\.down cannot repeat"),
        ("channel.callback_loss", {}, "cannot repeat"),
        ("node.crash", {"on": "state.orders.paid"}, "it cannot wait for an event"),
    ],
)
def test_only_what_passes_by_itself_repeats_and_only_over_a_window(
    name: str, fields: dict[str, object], complaint: str
) -> None:
    """Otherwise nobody could say when one strike ends and the next begins."""
    with pytest.raises(ValueError, match=complaint):
        rule(name, **{**fields, "repeat": 2})


def test_window_faults_and_site_faults_are_told_apart() -> None:
    """Channels, suppliers and users are asked at each site; machines and links are held in a state."""
    windows = [name for name, kind in FAULTS.items() if kind.window]
    assert {name.split(".")[0] for name in windows} == {"link", "node", "database"}
    sites_elsewhere = {name for name in FAULTS if name.split(".")[0] in ("link", "node", "database")} - set(
        windows
    )
    assert sites_elsewhere == {
        "link.loss_before",
        "link.loss_after",
        "link.duplicate",
        "link.reorder",
        "database.lost_commit_ack",
    }


@given(st.integers(min_value=0, max_value=10**15))
def test_a_duration_written_out_reads_back_exactly(duration_us: int) -> None:
    """No float ever touches a duration."""
    assert durations.parse(durations.render(duration_us)) == duration_us


@pytest.mark.parametrize("text", ["", "15", "s", "15 sec", "1h30", "-5s", "1.5", "5m", "0.1us", "1s,2s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A unit is needed, and `5m` could be minutes or months."""
    with pytest.raises(ValueError, match=r"duration|microsecond"):
        durations.parse(text)


def test_the_table_of_faults_in_the_manual_is_current() -> None:
    """docs/faults.md is generated: `python -m scenarios.faults_table > docs/faults.md`."""
    assert Path("docs/faults.md").read_text("utf-8") == table()
