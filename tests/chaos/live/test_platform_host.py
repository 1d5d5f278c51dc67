"""A node of the platform as a process: killed, it is replaced; skewed, it is wrong about the time; asked, it goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from zlib import crc32

import pytest

from chaos.live.machine_clock import MachineClock
from tests.chaos.live.stage import SCHEMA, Stage, until

HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two nodes behind the edge."""
    with Stage(tmp_path_factory.mktemp("nodes"), nodes=2) as world:
        yield world
        world.has_no_bug()


def _node_of(stage: Stage, user: str) -> str:
    return stage.nodes[crc32(user.encode()) % 2]


def test_another_node_takes_over_from_one_that_was_killed(stage: Stage) -> None:
    """What was acknowledged is there, and the key that the dead one used is known to the living."""
    order = stage.order("u1", "kill")
    home = _node_of(stage, "u1")
    stage.children[home].kill()
    assert stage.status(order["order_id"]) == "created"
    assert stage.order("u1", "kill") == order
    assert stage.pay(order).status == 200
    until(lambda: stage.status(order["order_id"]) == "completed", "delivered by the other")
    stage.restart(home)
    assert stage.order("u1", "kill")["order_id"] == order["order_id"]
    assert stage.log(home)[-1]["status"] == 200


def test_ids_go_on_after_a_restart(stage: Stage) -> None:
    """A node that forgot what it gave away gives nothing away twice: logs and postings keep apart."""
    for n in range(2):
        order = stage.order("u2", f"ids-{n}", pay_with="wallet")
        until(lambda order=order: stage.status(order["order_id"], "u2") == "completed", "delivered")  # type: ignore[misc]
        stage.restart(_node_of(stage, "u2"))
    assert stage.postgres is not None
    with closing(stage.postgres.connect()) as connection:
        ids = [row[0] for row in connection.execute(f'select log_id from {SCHEMA}."order_log"').fetchall()]
    assert len(ids) == len(set(ids)) > 4


def test_a_skewed_machine_is_wrong_about_the_time_and_says_how_often(stage: Stage) -> None:
    """Its orders bear its own time; the other node's do not; set right, it is right again."""
    home = _node_of(stage, "u1")
    machine = MachineClock(stage.directory / f"{home}.clock", stage.clock.now_us)
    machine.skew(2 * HOUR_US)
    order = stage.order("u1", "skewed")
    assert machine.wrong_readings > 0
    machine.skew(0)
    right = stage.order("u1", "right")
    machine.close()
    assert stage.postgres is not None
    with closing(stage.postgres.connect()) as connection:
        query = f"select order_id, created_us from {SCHEMA}.orders"
        created_us = {row[0]: row[1] for row in connection.execute(query).fetchall()}
    now_us = stage.now_us()
    assert created_us[order["order_id"]] > now_us + HOUR_US
    assert created_us[right["order_id"]] <= now_us


def test_every_process_goes_when_it_is_asked(stage: Stage) -> None:
    """SIGTERM: exit 0, and nobody listens any more."""
    for name in stage.names:
        assert stage.children[name].terminate(60) == 0, stage.children[name].tail()
    assert stage.postgres is not None
    assert stage.supervisor.ports.listening() == [stage.postgres.port]
