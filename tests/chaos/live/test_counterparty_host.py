"""Channels and suppliers as processes: killed by -9 between any two steps, they lose nothing and do nothing twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chaos.history import Book, Notice
from chaos.live import keys
from reference_platform.adapters.seals import payment_notice
from tests.chaos.live.stage import Stage, until
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


def test_a_channel_killed_between_capture_and_callback_tells_all_the_same(stage: Stage) -> None:
    """Once it is back: one capture in the books, the callback on its way, and the charge as it was."""
    with listening(stage) as platform:
        assert _call(stage, "wechat", "create", CHARGE)[0] == 200
        assert _call(stage, "wechat", "pay", {"charge_no": "O1/c1", "user": "u1"}) == (200, {"paid_fen": 100})
        assert not platform.got, "the first notice follows after 50 ms and more"
        stage.restart("wechat")
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
        assert stage.ask_in_vain("POST", "/create", CHARGE, to="wechat", within_s=0.5) == "TimeoutError"
        assert _books(stage, "wechat") == {"charge_opened": 1}
