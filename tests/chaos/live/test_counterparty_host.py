"""Channels and suppliers as processes: killed by -9 between any two steps, they lose nothing and do nothing twice."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chaos.history import Book, Fault, Notice
from chaos.live import keys
from chaos.live.openings import Opening, Openings
from reference_platform.adapters.seals import payment_notice
from reference_platform.ports import HOUR
from tests.chaos.live.stage import HOST, Stage, door, until
from tests.chaos.worlds import storm

CHARGE = {"charge_no": "O1/c1", "amount_fen": 100, "expires_us": 1 << 60}
SUBMIT = {"attempt_no": "O1/s1", "sku": "phone-50", "account": "138", "quantity": 1}


class Platform:
    """Takes callbacks, in place of the edge, and keeps their bytes."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.got: list[tuple[str, dict[str, str], bytes]] = []


@contextmanager
def listening(stage: Stage) -> Iterator[Platform]:
    """A platform at the edge's port."""
    platform = Platform()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            platform.got.append((self.path, dict(self.headers.items()), raw))
            platform.answers.wait(60)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"SUCCESS")

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, *_: Any) -> None:
            """Its caller was killed."""

    with Server(("127.0.0.1", stage.ports["edge"]), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield platform
        finally:
            platform.answers.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Counterparties without a platform."""
    with Stage(tmp_path, database=False, parts=("wechat", "alpha", "users")) as world:
        yield world


def _books(stage: Stage, name: str) -> Counter[str]:
    return Counter(event.entry for event in stage.events(name) if isinstance(event, Book))


def _call(stage: Stage, name: str, call: str, body: dict[str, Any]) -> Any:
    answer = stage.ask("POST", f"/{call}", body, to=name)
    return answer.status, answer.body


def test_a_channel_killed_between_capture_and_callback_tells_all_the_same(tmp_path: Path) -> None:
    """Once it is back: one capture in the books, the callback on its way, and the charge as it was."""
    with (
        Stage(tmp_path, database=False, parts=("wechat",), begun=False) as stage,
        listening(stage) as platform,
    ):
        assert _call(stage, "wechat", "create", CHARGE)[0] == 200
        assert _call(stage, "wechat", "pay", {"charge_no": "O1/c1", "user": "u1"}) == (200, {"paid_fen": 100})
        stage.children["wechat"].kill()
        assert not platform.got, "the first notice follows after 50 ms and more, and time stands still"
        stage.restart("wechat")
        stage.clock.begin()
        assert _call(stage, "wechat", "query", {"charge_no": "O1/c1"})[1]["status"] == "SUCCESS"
        until(lambda: _books(stage, "wechat")["callback_acked"] == 1, "acknowledged")
    assert _books(stage, "wechat") == {
        "charge_opened": 1, "captured": 1, "callback_sent": 1, "callback_acked": 1, "answered": 1,
    }  # fmt: skip
    (path, headers, raw), *more = platform.got
    assert path == "/callbacks/wechat"
    assert all(again[2] == raw for again in more), "sent once more at most, and then the same"
    notice = payment_notice(keys.check(stage.keys.opening["wechat"]).open(headers, raw))
    assert notice is not None
    assert (notice.charge_no, notice.paid_fen) == ("O1/c1", 100)


def test_a_channel_killed_while_it_waits_for_the_acknowledgement_asks_again(stage: Stage) -> None:
    """Of a callback without an answer nobody knows whether it arrived: the very same is sent once more."""
    with listening(stage) as platform:
        platform.answers.clear()
        _call(stage, "wechat", "create", CHARGE)
        _call(stage, "wechat", "pay", {"charge_no": "O1/c1", "user": "u1"})
        until(lambda: len(platform.got) == 1, "sent")
        _call(stage, "wechat", "query", {"charge_no": "O1/c1"})  # so that the sending is amid the replay
        stage.children["wechat"].kill()
        platform.answers.set()
        stage.restart("wechat")
        until(lambda: _books(stage, "wechat")["callback_acked"] == 1, "acknowledged")
    first, again = platform.got
    assert first[2] == again[2]
    assert _books(stage, "wechat") == {
        "charge_opened": 1, "captured": 1, "callback_sent": 1, "callback_acked": 1, "answered": 1,
    }  # fmt: skip


def test_many_kills_change_no_book(stage: Stage) -> None:
    """Three charges paid, a kill after each: three captures, and paying again is refused by each."""
    with listening(stage):
        for n in range(3):
            charge = {**CHARGE, "charge_no": f"O{n}/c1"}
            assert _call(stage, "wechat", "create", charge)[0] == 200
            assert _call(stage, "wechat", "pay", {"charge_no": f"O{n}/c1", "user": "u1"})[0] == 200
            stage.restart("wechat")
            for old in range(n + 1):
                again = {"charge_no": f"O{old}/c1", "user": "u1"}
                assert _call(stage, "wechat", "pay", again) == (400, {"code": "ORDERPAID"})
        until(lambda: _books(stage, "wechat")["callback_acked"] == 3, "all told")
    books = _books(stage, "wechat")
    assert (books["charge_opened"], books["captured"], books["callback_sent"]) == (3, 3, 3)


def test_a_supplier_killed_at_work_delivers_once(stage: Stage) -> None:
    """The platform heard nothing, asks again and is told; the goods are out once."""
    with listening(stage):
        asked = threading.Thread(target=lambda: stage.ask_in_vain("POST", "/submit", SUBMIT, to="alpha"))
        asked.start()
        until(lambda: _books(stage, "alpha")["attempt_received"] == 1, "received")
        stage.restart("alpha")
        asked.join(60)
        until(lambda: _books(stage, "alpha")["delivered"] == 1, "delivered")
        assert _call(stage, "alpha", "submit", SUBMIT) == (
            200, {"status": "duplicate", "delivered": 0, "cost_fen": 0},
        )  # fmt: skip
    assert _books(stage, "alpha")["delivered"] == 1


def test_a_lingering_charge_answers_when_the_platform_closes_it(stage: Stage) -> None:
    """A long poll; and at once for a charge that is not there or paid."""
    _call(stage, "wechat", "create", CHARGE)
    assert stage.ask("GET", "/linger/O9/c1", to="wechat").status == 200
    answers: list[int] = []
    waiting = threading.Thread(
        target=lambda: answers.append(stage.ask("GET", "/linger/O1/c1", to="wechat").status)
    )
    waiting.start()
    until(lambda: (stage.directory / "wechat.inputs").read_bytes().count(b"linger") == 2, "it waits")
    stage.clock.leap_to(stage.clock.now_us() + 600_000_000)  # no charge is closed in its first minutes
    assert _call(stage, "wechat", "close", {"charge_no": "O1/c1"}) == (400, {"code": "TRADE_NOT_EXIST"})
    waiting.join(60)
    assert answers == [200]


def test_what_makes_no_sense_is_refused_and_not_on_record(stage: Stage) -> None:
    """A body that is no call of this kind is 400 PARAM_ERROR; a call that there is not is 404."""
    misfits: tuple[Any, ...] = ({}, {"charge_no": 1}, {**CHARGE, "amount_fen": "1"}, [])
    for body in misfits:
        assert stage.ask("POST", "/create", body, to="wechat").body == {"code": "PARAM_ERROR"}
    no_text, too_deep = b'{"charge_no":"\xff"}', b'{"x":' + b"[" * 3_000
    for party, path in (("wechat", "/query"), ("users", "/notices")):
        for body in (no_text, too_deep):
            with closing(HTTPConnection(HOST, stage.ports[party], timeout=60)) as connection:
                connection.request("POST", path, body)
                assert connection.getresponse().status == 400
    assert stage.ask("POST", "/steal", {}, to="wechat").status == 404
    assert stage.ask("POST", "/pay", {"charge_no": "x", "user": "u"}, to="alpha").status == 404
    assert (stage.directory / "wechat.inputs").read_bytes() == b""


def test_a_notice_is_on_record_when_it_is_acknowledged(stage: Stage) -> None:
    """What arrived at `users` has been shown."""
    body = {"user": "u1", "topic": "paid", "order_id": "O1", "data": {"fen": 1}}
    assert stage.ask("POST", "/notices", body, to="users").status == 200
    stage.restart("users")
    (event,) = stage.events("users")
    assert isinstance(event, Notice)
    assert (event.user, event.topic, event.data) == ("u1", "paid", {"fen": 1})


def test_silence_holds_the_connection_until_the_caller_gives_up(tmp_path: Path) -> None:
    """An unknown result is no answer, neither good nor bad; and what had its effect had it once."""
    faults = [{"fault": "channel.result_unknown", "channel": "wechat", "probability": 1.0, "effect": True}]
    with Stage(tmp_path, scenario=storm(*faults), database=False, parts=("wechat",)) as stage:
        with closing(HTTPConnection("127.0.0.1", stage.ports["wechat"], timeout=60)) as connection:
            connection.request("POST", "/create", json.dumps(CHARGE), {"Content-Type": "application/json"})
            until(lambda: _books(stage, "wechat") == {"charge_opened": 1}, "it has had its effect")
            connection.sock.settimeout(0.5)
            with pytest.raises(TimeoutError):
                connection.sock.recv(1)
        assert _books(stage, "wechat") == {"charge_opened": 1}


# ---------------------------------------------------------------- single messages of a link

QUERY = {"charge_no": "O1/c1"}


def _touches(stage: Stage, name: str) -> list[str]:
    return [event.site for event in stage.events(name) if isinstance(event, Fault)]


def _struck_in_silence(stage: Stage, name: str, path: str, body: dict[str, Any]) -> None:
    """A request of platform-1 that is struck, to which nothing is said; then its sender gives up."""
    struck = len(_touches(stage, name))
    port = stage.ports[door("platform-1", name)]
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        until(lambda: len(_touches(stage, name)) == struck + 1, "struck")
        connection.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.sock.recv(1)


def test_a_call_is_lost_before_or_after_its_effect_and_no_kill_changes_which(tmp_path: Path) -> None:
    """Each query is struck, one way or the other; how often was asked is known over all lives of the process."""
    faults: list[dict[str, Any]] = [
        {"fault": "link.loss_before", "between": ["platform-1", "wechat"], "probability": 0.5},
        {"fault": "link.loss_after", "between": ["platform-1", "wechat"]},
    ]
    expected = [f"platform-1->wechat/query/O1/c1/{n}" for n in range(1, 7)]
    with Stage(tmp_path, scenario=storm(*faults), database=False, parts=("wechat",)) as stage:
        assert _call(stage, "wechat", "create", CHARGE)[0] == 200, "nobody of the storm's links asks there"
        for _ in range(3):
            _struck_in_silence(stage, "wechat", "/query", QUERY)
        stage.restart("wechat")
        for _ in range(3):
            _struck_in_silence(stage, "wechat", "/query", QUERY)
        sites = _touches(stage, "wechat")
        assert [site.split("/", 2)[2] for site in sites] == expected
        lost = sum("loss_before" in site for site in sites)
        assert 0 < lost < 6
        inputs = stage.directory / "wechat.inputs"
        until(
            lambda: inputs.read_text().count('"kind":"call"') == 1 + 6 - lost, "the others had their effect"
        )
        stage.supervisor.check()


def test_a_call_held_back_takes_effect_later_and_a_doubled_one_twice(tmp_path: Path) -> None:
    """The caller of either hears one answer."""
    faults = [
        {"fault": "link.reorder", "between": ["platform-1", "wechat"], "delay": "1h"},
        {"fault": "link.duplicate", "between": ["platform-1", "alpha"]},
    ]
    with Stage(tmp_path, scenario=storm(*faults), database=False, parts=("wechat", "alpha")) as stage:
        answer = stage.ask("POST", "/query", {"attempt_no": "O1/s1"}, to=door("platform-1", "alpha"))
        assert answer.status in (200, 400)
        inputs = stage.directory / "alpha.inputs"
        until(lambda: inputs.read_text().count('"kind":"call"') == 2, "both have arrived")
        create = partial(stage.ask, "POST", "/create", CHARGE, to=door("platform-1", "wechat"))
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(create)
            until(lambda: len(_touches(stage, "wechat")) == 1, "held back")
            assert not _books(stage, "wechat")
            stage.clock.leap_to(stage.clock.now_us() + HOUR)
            assert asked.result(60).status == 200
        assert _books(stage, "wechat") == {"charge_opened": 1}


def test_what_is_held_back_when_the_process_dies_never_arrives(tmp_path: Path) -> None:
    """It was under way to a machine that is no more."""
    fault = {"fault": "link.reorder", "between": ["platform-1", "wechat"], "delay": "1h"}
    with Stage(tmp_path, scenario=storm(fault), database=False, parts=("wechat",)) as stage:
        _struck_in_silence(stage, "wechat", "/create", CHARGE)
        stage.restart("wechat")
        stage.clock.leap_to(stage.clock.now_us() + HOUR)
        _call(stage, "wechat", "query", QUERY)
        assert not _books(stage, "wechat")["charge_opened"]


def test_what_an_announced_event_has_opened_stays_open_over_a_kill(tmp_path: Path) -> None:
    """The announcement is an input like any other: before it nothing is struck, after it all, also in a replay."""
    way = {"between": ["platform-1", "wechat"]}
    fault = {"fault": "link.loss_after", **way, "on": "state.orders.paid"}
    with Stage(tmp_path, scenario=storm(fault), database=False, parts=("wechat",)) as stage:
        ask = partial(stage.ask, "POST", "/query", QUERY, to=door("platform-1", "wechat"))
        assert ask().status == 200
        Openings(stage.directory / "openings").tell(Opening(0, stage.clock.now_us(), HOUR))
        _struck_in_silence(stage, "wechat", "/query", QUERY)
        stage.restart("wechat")
        _struck_in_silence(stage, "wechat", "/query", QUERY)
        inputs = (stage.directory / "wechat.inputs").read_text()
        assert inputs.count('"kind":"opened"') == 1
    numbers = [site.rpartition("/")[2] for site in _touches(stage, "wechat")]
    assert numbers == ["2", "3"]


def test_a_notice_is_shown_twice_or_not_at_all(tmp_path: Path) -> None:
    """By the link it came by: what one node tells arrives twice, what the other tells is lost."""
    faults = [
        {"fault": "link.duplicate", "between": ["platform-1", "users"]},
        {"fault": "link.loss_before", "between": ["platform-2", "users"]},
    ]
    body = {"user": "u1", "topic": "paid", "order_id": "O1", "data": {}}
    scenario = storm(*faults)
    with Stage(tmp_path, scenario=scenario, nodes=2, database=False, parts=("users",)) as stage:
        with closing(HTTPConnection("127.0.0.1", stage.ports[door("platform-2", "users")])) as connection:
            connection.request("POST", "/notices", json.dumps(body))
            until(lambda: len(_touches(stage, "users")) == 1, "lost")
        assert stage.ask("POST", "/notices", body, to=door("platform-1", "users")).status == 200
        until(lambda: sum(isinstance(event, Notice) for event in stage.events("users")) == 2, "shown twice")
        assert [site.split("/", 2)[2] for site in _touches(stage, "users")] == [
            "platform-2->users/notice/O1/paid",
            "platform-1->users/notice/O1/paid",
        ]


def test_a_callback_is_doubled_by_the_channel_that_sends_it(tmp_path: Path) -> None:
    """The very same bytes come twice; the channel's books know of one."""
    fault = {"fault": "link.duplicate", "between": ["wechat", "edge"]}
    with (
        Stage(tmp_path, scenario=storm(fault), database=False, parts=("wechat",)) as doubled,
        listening(doubled) as platform,
    ):
        _call(doubled, "wechat", "create", CHARGE)
        _call(doubled, "wechat", "pay", {"charge_no": "O1/c1", "user": "u1"})
        until(lambda: len(platform.got) == 2, "arrived twice")
        until(lambda: _books(doubled, "wechat")["callback_acked"] == 1, "acknowledged")
        assert platform.got[0][2] == platform.got[1][2]
        assert _books(doubled, "wechat")["callback_sent"] == 1
        assert len(_touches(doubled, "wechat")) == 1
