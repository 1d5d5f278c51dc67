"""The shipped scenarios load, say what they stand for, and cover what the project promises."""

from __future__ import annotations

import pytest

from chaos.worker import dump
from reference_platform.tables import TABLES
from scenarios import loading
from scenarios.events import TABLES as EVENT_TABLES
from scenarios.model import Scenario, json_schema

PROMISED = {
    "calm_trade",
    "step_peak",
    "callback_late",
    "callback_lost",
    "callback_doubled",
    "callback_reordered_refund",
    "callback_after_close",
    "forged_callback",
    "supplier_timeout_succeeded",
    "make_good_then_original",
    "node_crash_around_commit",
    "partition_to_channel",
    "database_failover",
}


def test_the_thirteen_promised_storms_are_shipped() -> None:
    """The library holds at least the storms that the project was asked for."""
    assert set(loading.library()) >= PROMISED


@pytest.mark.parametrize("name", loading.library())
def test_each_shipped_scenario_is_told_in_both_languages_and_says_what_it_expects(name: str) -> None:
    """Title and story exist in English and Chinese; every storm expects something of naive and resilient."""
    scenario = loading.load(name)
    assert {"naive", "resilient"} <= set(scenario.expect)
    assert scenario.expect["resilient"].holds
    assert scenario.expect["naive"].holds == (name == "calm_trade")
    for text in (scenario.title, scenario.story):
        assert text.en.isascii()
        assert any("\u4e00" <= character <= "\u9fff" for character in text.zh)


@pytest.mark.parametrize("name", loading.library())
def test_a_scenario_written_into_a_campaign_loads_again_unchanged(name: str) -> None:
    """Replaying an old campaign uses the scenario as it was then."""
    scenario = loading.load(name)
    assert Scenario.model_validate(dump(scenario)) == scenario


def test_rules_can_wait_for_every_table_that_a_history_records() -> None:
    """The vocabulary of events is written out in scenarios, which may not import the platform."""
    assert list(EVENT_TABLES)
    assert set(EVENT_TABLES) == {table.name for table in TABLES if table.book is not None}


def test_every_field_of_the_schema_is_described() -> None:
    """Editors show the description while one types."""
    schema = json_schema()
    undescribed = [
        f"{part}.{name}"
        for part, definition in schema["$defs"].items()
        for name, field in definition.get("properties", {}).items()
        if "description" not in field
    ]
    undescribed += [name for name, field in schema["properties"].items() if "description" not in field]
    assert undescribed == []


def test_the_links_of_a_world_are_those_that_the_manual_lists() -> None:
    """A rule may only name a link that carries something; the caller stands first."""
    scenario = loading.load("callback_late")
    links = {link for link in scenario.links() if "platform-2" not in link}
    assert links == {
        ("users", "edge"),
        ("wechat", "edge"),
        ("alpha", "edge"),
        ("beta", "edge"),
        ("edge", "platform-1"),
        ("platform-1", "database"),
        ("platform-1", "replica"),
        ("platform-1", "wechat"),
        ("platform-1", "alpha"),
        ("platform-1", "beta"),
        ("platform-1", "users"),
    }
