"""Whatever is wrong with a scenario file is told in one line: file, line, field, what, and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import loading
from scenarios.loading import ScenarioError

GOOD = """\
name: storm
title: {en: A storm, zh: 风暴}
story: {en: It hurts., zh: 很疼。}
catalogue: [F-28]
races: [X-04]
workload:
  orders: 8
  arrivals: {shape: burst, within: 2min}
  products:
    - {sku: game-100, kind: card, price_fen: 9800, stock: 40}
    - {sku: phone-50, kind: topup, price_fen: 4990, suppliers: [alpha]}
faults:
  - {fault: channel.callback_delay, channel: wechat, delay: 18min}
timing: {safety: 40min}
sometimes: [query_found_capture]
expect:
  naive: {violated: [I-20]}
  resilient: holds
"""
DELAY = "{fault: channel.callback_delay, channel: wechat, delay: 18min}"


def error_of(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        loading.parse(text, "x.yaml", designs=["naive", "resilient"], situations=["query_found_capture"])
    return str(caught.value)


def test_a_good_scenario_loads_with_durations_in_microseconds() -> None:
    """Inside, time is integer µs; in the file it is written for people."""
    scenario = loading.parse(GOOD, "x.yaml")
    assert scenario.timing.safety == 2_400_000_000
    assert scenario.faults[0].params() == {"delay_us": 1_080_000_000}
    assert scenario.expect["naive"].violated == ("I-20",)
    assert scenario.expect["resilient"].holds


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (
            "channel: wechat",
            "channl: wechat",
            "x.yaml:13: faults[0].channl: unknown field; did you mean 'channel'?",
        ),
        (
            "orders: 8",
            "order: 8",
            "x.yaml:7: workload.order: unknown field; did you mean 'orders'? (and 1 more)",
        ),
        ("  orders: 8\n", "", "x.yaml:6: workload.orders: missing field"),
        (
            "channel.callback_delay",
            "channel.callback_delai",
            (
                "x.yaml:13: faults[0].fault: unknown fault 'channel.callback_delai';"
                " did you mean 'channel.callback_delay'?"
            ),
        ),
        ("fault: channel.callback_delay, ", "", "x.yaml:13: faults[0].fault: missing field"),
        (", delay: 18min", "", "x.yaml:13: faults[0].delay: missing field"),
        (
            "delay: 18min",
            "delay: 18 minutes",
            "x.yaml:13: faults[0].delay: '18 minutes' is no duration; write it like 200ms, 15s, 1.5min, 24h 4min",
        ),
        (
            "delay: 18min",
            "delay: -5",
            "x.yaml:13: faults[0].delay: must be greater than or equal to 0, not -5",
        ),
        ("orders: 8", "orders: eight", "x.yaml:7: workload.orders: must be a valid integer, not 'eight'"),
        ("orders: 8", "orders: 0", "x.yaml:7: workload.orders: must be greater than or equal to 1, not 0"),
        (
            "shape: burst",
            "shape: brst",
            "x.yaml:8: workload.arrivals.shape: unknown shape 'brst'; did you mean 'burst'?",
        ),
        (
            "kind: card",
            "kind: crad",
            (
                "x.yaml:10: workload.products[0].kind: 'crad' is none of 'card', 'topup' or 'membership';"
                " did you mean 'card'?"
            ),
        ),
        ("suppliers: [alpha]", "stock: 5", "x.yaml:11: workload.products[1]: a topup needs suppliers"),
        (
            "sku: phone-50",
            "sku: game-100",
            "x.yaml:11: workload.products[1].sku: sku 'game-100' is listed twice",
        ),
        ("naive:", "naiv:", "x.yaml:17: expect.naiv: unknown design 'naiv'; did you mean 'naive'?"),
        (
            "I-20",
            "I-37",
            "x.yaml:17: expect.naive.violated[0]: unknown invariant 'I-37'; did you mean 'I-36'?",
        ),
        (
            "[query_found_capture]",
            "[query_found_captur]",
            "x.yaml:15: sometimes[0]: unknown situation 'query_found_captur'; did you mean 'query_found_capture'?",
        ),
        ("F-28", "F-79", "x.yaml:4: catalogue[0]: the catalogue has no row F-79: F-01 to F-78"),
        ("X-04", "X-51", "x.yaml:5: races[0]: unknown race 'X-51'; did you mean 'X-50'?"),
        (
            "channel: wechat",
            "channel: alipay",
            "x.yaml:13: faults[0].channel: no channel 'alipay' in this scenario; it has wechat",
        ),
        (
            "18min}",
            "18min, from: 41min}",
            "x.yaml:13: faults[0].from: 41min is beyond the safety phase, which ends at 40min",
        ),
        (
            "18min}",
            "18min, until: 41min}",
            "x.yaml:13: faults[0].until: 41min is beyond the safety phase, which ends at 40min",
        ),
        (
            "18min}",
            "18min, from: 9min, until: 9min}",
            "x.yaml:13: faults[0]: until 9min is not after from 9min",
        ),
        ("18min}", "18min, nth: 2}", "x.yaml:13: faults[0]: nth and after need `on`: an event to count"),
        (
            "18min}",
            "18min, on: state.order.paid}",
            "x.yaml:13: faults[0].on: unknown event 'state.order.paid'; did you mean 'state.orders.paid'?",
        ),
        (
            DELAY,
            "{fault: link.down, between: [wechat, platform-1]}",
            "x.yaml:13: faults[0].between: no link wechat->platform-1; the caller comes first: [platform-1, wechat]",
        ),
        *(
            (
                DELAY,
                f"{{fault: {fault}, between: [platform-*, {store}]}}",
                f"x.yaml:13: faults[0].between: no single message is {done} on the way to the {store}: a session",
            )
            for fault, store, done in (
                ("link.duplicate", "database", "doubled"),
                ("link.reorder, delay: 1s", "replica", "overtaken"),
                ("link.loss_before", "database", "lost"),
                ("link.loss_after", "replica", "lost"),
            )
        ),
        *(
            (
                DELAY,
                f"{{fault: {fault}, between: [platform-*, wechat], stream: up}}",
                "x.yaml:13: faults[0].stream: unknown field",
            )
            for fault in ("link.duplicate", "link.loss_after", "link.down", "link.partition")
        ),
        (
            DELAY,
            "{fault: link.down, between: [users, wechatt]}",
            (
                "x.yaml:13: faults[0].between[1]: no endpoint 'wechatt' in this scenario; it has alpha, database, edge,"
                " platform-1, platform-2, replica, users, wechat; did you mean 'wechat'?"
            ),
        ),
        (
            DELAY,
            "{fault: node.slow, node: platform-3, factor: 2}",
            (
                "x.yaml:13: faults[0].node: no node 'platform-3' in this scenario; it has platform-1, platform-2;"
                " did you mean 'platform-2'?"
            ),
        ),
        (
            DELAY,
            "{fault: node.crash, node: acting}",
            "x.yaml:13: faults[0].node: `acting` needs `on`: the event whose node is meant",
        ),
        (
            DELAY,
            "{fault: supplier.fail, supplier: beta}",
            "x.yaml:13: faults[0].supplier: no supplier 'beta' in this scenario; it has alpha",
        ),
        (
            "resilient: holds",
            "resilient: hold",
            "x.yaml:18: expect.resilient: write `holds` or `{violated: [I-02]}`",
        ),
        ("[I-20]", "[]", "x.yaml:17: expect.naive: write `holds` if nothing is violated"),
        ("safety: 40min", "safety: 40min, safety: 9min", "x.yaml:14: duplicate field 'safety'"),
        (
            "orders: 8",
            " orders: 8",
            "x.yaml:8: malformed YAML: expected <block end>, but found '<block mapping start>'",
        ),
    ],
)
def test_an_error_names_line_field_and_the_nearest_name(good: str, bad: str, message: str) -> None:
    """One message, precise enough to mend the file without a manual."""
    assert GOOD.count(good) >= 1
    assert error_of(GOOD.replace(good, bad, 1)).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.yaml:1: the file is empty; `dingfeng schema scenario` shows what belongs in it"),
        (
            "# only a comment\n",
            "x.yaml:1: the file is empty; `dingfeng schema scenario` shows what belongs in it",
        ),
        ("[1, 2]", "x.yaml:1: a scenario is a mapping of fields, this is list"),
        ("a: b: c", "x.yaml:1: malformed YAML: mapping values are not allowed here"),
        ("a: [1, 2", "x.yaml:1: malformed YAML: "),
        ("a: \x01", "x.yaml: malformed YAML: unacceptable character #x0001"),
        ("{}", "x.yaml:1: name: missing field (and 4 more)"),
    ],
)
def test_a_file_that_is_no_scenario_is_told_so(text: str, message: str) -> None:
    """Malformed, empty and foreign files have messages of their own."""
    assert error_of(text).startswith(message)


def test_files_that_cannot_be_read_are_told_apart(tmp_path: Path) -> None:
    """Missing, directory, not text: each in one line."""
    (tmp_path / "latin.yaml").write_bytes(b"name: x\ntitle: caf\xe9\n")
    for name, message in [
        (str(tmp_path / "latin.yaml"), "latin.yaml:2: not UTF-8 text (byte 0xe9)"),
        (str(tmp_path) + "/", "is a directory; name a scenario file in it"),
        (str(tmp_path / "callback_lat.yaml"), "no such file; did you mean 'callback_late'?"),
        ("callback_lat", "no scenario 'callback_lat'; did you mean 'callback_late'?"),
    ]:
        with pytest.raises(ScenarioError) as caught:
            loading.load(name)
        assert message in str(caught.value)


def test_the_name_is_the_files(tmp_path: Path) -> None:
    """A token `name:design:seed` must lead back to the file."""
    path = tmp_path / "other.yaml"
    path.write_text(GOOD, "utf-8")
    with pytest.raises(ScenarioError, match=r"other.yaml:1: name: 'storm' is not the file's name 'other'"):
        loading.load(path)
