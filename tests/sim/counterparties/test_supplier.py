"""The supplier keeps its contract, traps included, and books what it did apart from what it said."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from reference_platform.ports import HOUR, MINUTE, SECOND, Request, Response
from sim.counterparties.fate import Terms
from sim.counterparties.supplier import Supplier
from tests.sim.counterparties.scene import Scene, Sure

DIRECT = Terms(direct_share=1.0)
BY_CALLBACK = Terms(direct_share=0.0)
ACK = Response(200, raw=b"SUCCESS")


class Asked:
    """What a supplier answered, and when."""

    def __init__(self, scene: Scene, supplier: Supplier) -> None:
        self._scene = scene
        self._supplier = supplier
        self.answers: list[tuple[int, Response]] = []

    def _ask(self, call: str, body: dict[str, Any]) -> None:
        kernel = self._scene.kernel
        self._supplier.handle(
            Request(call, "p", body), lambda response: self.answers.append((kernel.now, response))
        )

    def submit(
        self, attempt_no: str = "O1/s1", quantity: int = 1, wait_us: int = 10 * SECOND
    ) -> dict[str, Any]:
        return self._reply(
            "submit", wait_us, attempt_no=attempt_no, sku="credit", account="a1", quantity=quantity
        )

    def query(self, attempt_no: str = "O1/s1") -> dict[str, Any]:
        return self._reply("query", 0, attempt_no=attempt_no)

    def _reply(self, call: str, wait_us: int, **body: Any) -> dict[str, Any]:
        count = len(self.answers)
        self._ask(call, body)
        self._scene.wait(wait_us)
        if len(self.answers) == count:
            return {"status": "silence"}
        response = self.answers[-1][1]
        return dict(response.body) | (
            {} if response.status == 200 else {"status": f"rejected {response.status}"}
        )


def _supplier(
    terms: Terms = DIRECT, storm: Sure | None = None, reply: Response | None = ACK
) -> tuple[Scene, Asked]:
    scene = Scene(storm or Sure({}), lambda *_: reply)
    return scene, Asked(scene, scene.supplier(terms))


def test_a_direct_answer_comes_when_the_goods_are_delivered() -> None:
    """After half a second to three: success, with quantity and cost; no callback follows."""
    scene, supplier = _supplier()
    assert supplier.submit(quantity=2) == {"status": "success", "delivered": 2, "cost_fen": 180}
    assert SECOND // 2 <= supplier.answers[0][0] <= 3 * SECOND
    scene.wait(HOUR)
    assert scene.received == []
    assert scene.books() == [("attempt_received", "O1/s1"), ("delivered", "O1/s1"), ("answered", "O1/s1")]


def test_an_answer_by_callback_says_processing_first() -> None:
    """The signed callback brings attempt, status and cost; an ack ends it."""
    scene, supplier = _supplier(BY_CALLBACK)
    assert supplier.submit()["status"] == "processing"
    assert supplier.answers[0][0] == 200_000
    scene.wait(HOUR)
    (message,) = scene.messages()
    assert message is not None
    assert message.resource == {"attempt_no": "O1/s1", "status": "success", "delivered": 1, "cost_fen": 90}
    assert scene.received[0][1].action == "callback.supplier.alpha"
    assert scene.data("callback_acked") == [{"supplier": "alpha", "accepted": True}]


@pytest.mark.parametrize("reply", [Response(200, raw=b"success"), Response(500, raw=b"SUCCESS"), None])
def test_only_the_body_success_ends_its_callbacks(reply: Response | None) -> None:
    """Anything else is retried from 15 s to 6 h apart, and within a day it is over."""
    scene, supplier = _supplier(BY_CALLBACK, reply=reply)
    supplier.submit()
    scene.wait(48 * HOUR)
    times = [at_us for at_us, _ in scene.received]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert (gaps[0], gaps[-1]) == (15 * SECOND, 6 * HOUR)
    assert times[-1] < 24 * HOUR


def test_a_repeated_number_is_refused_as_a_duplicate() -> None:
    """Within 60 seconds and as long as the first has not failed; no second delivery."""
    scene, supplier = _supplier()
    supplier.submit()
    assert supplier.submit()["status"] == "duplicate"
    scene.wait(HOUR)
    assert supplier.submit()["status"] == "duplicate"
    assert scene.books("delivered") == [("delivered", "O1/s1")]


def test_after_a_failure_the_same_number_opens_a_new_order() -> None:
    """Not within 60 seconds; later the number buys again."""
    scene, supplier = _supplier(storm=Sure({"supplier.fail": {}}, lambda key: key == ("O1/s1", "1")))
    assert supplier.submit() == {"status": "fail", "delivered": 0, "cost_fen": 0}
    assert supplier.submit(wait_us=0)["status"] == "duplicate"
    scene.wait(MINUTE)
    assert supplier.submit()["status"] == "success"
    assert scene.books("attempt_received", "failed", "delivered") == [
        ("attempt_received", "O1/s1"),
        ("failed", "O1/s1"),
        ("attempt_received", "O1/s1"),
        ("delivered", "O1/s1"),
    ]


def test_queries_are_answered_from_three_minutes_on() -> None:
    """Earlier is rejected; an unknown number is not found."""
    scene, supplier = _supplier()
    supplier.submit(wait_us=3 * MINUTE - 1)
    assert supplier.query() == {"status": "rejected 400", "code": "TOO_EARLY"}
    scene.wait(1)
    assert supplier.query()["status"] == "success"
    assert supplier.query("O9/s1")["status"] == "not_found"


def test_queries_are_limited_to_thirty_a_second() -> None:
    """The thirty-first is rejected; the next second begins anew."""
    scene, supplier = _supplier()
    assert [supplier.query("O9/s1")["status"] for _ in range(31)] == ["not_found"] * 30 + ["rejected 400"]
    scene.wait(SECOND)
    assert supplier.query("O9/s1")["status"] == "not_found"


# ---------------------------------------------------------------- misbehaviour


@pytest.mark.parametrize("effect", [True, False])
def test_silence_may_hide_a_delivery(effect: bool) -> None:
    """No answer, none booked; with effect the goods are delivered all the same, and a query tells."""
    scene, supplier = _supplier(
        storm=Sure({"supplier.result_unknown": {"effect": effect}}, lambda key: key[1] == "submit")
    )
    assert supplier.submit(wait_us=3 * MINUTE)["status"] == "silence"
    assert supplier.query()["status"] == ("success" if effect else "not_found")
    assert len(scene.books("delivered")) == effect


@pytest.mark.parametrize("terms", [DIRECT, BY_CALLBACK])
def test_false_success_is_told_and_later_denied(terms: Terms) -> None:
    """Success by answer or callback, nothing in the books; after the reveal, a query says fail."""
    scene, supplier = _supplier(terms, Sure({"supplier.false_success": {"reveal_us": 10 * MINUTE}}))
    told = supplier.submit()
    if terms is BY_CALLBACK:
        (message,) = scene.messages()
        assert message is not None
        told = dict(message.resource)
    assert (told["status"], told["delivered"]) == ("success", 1)
    scene.wait(5 * MINUTE)
    assert supplier.query()["status"] == "success"
    assert scene.books("failed") == []
    scene.wait(10 * MINUTE)
    assert supplier.query() == {"status": "fail", "delivered": 0, "cost_fen": 0}
    assert scene.books("delivered") == []
    assert scene.books("failed") == [("failed", "O1/s1")]


def test_a_received_attempt_can_be_not_found_for_a_while() -> None:
    """Not found inside the lag window is not a failure: the goods are delivered already."""
    scene, supplier = _supplier(storm=Sure({"supplier.not_found_lag": {"lag_us": 8 * MINUTE}}))
    supplier.submit(wait_us=8 * MINUTE - 1)
    assert supplier.query()["status"] == "not_found"
    assert scene.books("delivered") == [("delivered", "O1/s1")]
    scene.wait(1)
    assert supplier.query()["status"] == "success"


@pytest.mark.parametrize(
    ("fraction", "ordered", "delivered"), [(0.8, 100, 80), (0.8, 2, 1), (0.8, 1, 1), (0.1, 5, 1), (1.0, 5, 4)]
)
def test_a_partial_delivery_is_short_but_never_empty(fraction: float, ordered: int, delivered: int) -> None:
    """80 of 100; at least one piece, and a single piece is not divided."""
    scene, supplier = _supplier(storm=Sure({"supplier.partial": {"fraction": fraction}}))
    assert supplier.submit(quantity=ordered)["delivered"] == delivered
    assert scene.data("delivered")[0]["quantity"] == delivered


def test_an_exhausted_balance_refuses_without_a_trace() -> None:
    """Rejected BALANCE: no attempt was received."""
    scene, supplier = _supplier(storm=Sure({"supplier.exhausted": {}}))
    assert supplier.submit() == {"status": "rejected 400", "code": "BALANCE"}
    assert scene.books() == []


def test_a_slow_supplier_delivers_much_later_by_callback() -> None:
    """Processing now, and to every query until the delay is over."""
    scene, supplier = _supplier(storm=Sure({"supplier.slow": {"delay_us": 10 * MINUTE}}))
    assert supplier.submit(wait_us=5 * MINUTE)["status"] == "processing"
    assert supplier.query()["status"] == "processing"
    assert scene.received == []
    scene.wait(6 * MINUTE)
    assert len(scene.received) == 1
    assert scene.books("delivered") == [("delivered", "O1/s1")]


def test_a_callback_can_overtake_the_answer() -> None:
    """The callback says success before the submit is answered with processing."""
    scene, supplier = _supplier(storm=Sure({"supplier.callback_first": {}}))
    assert supplier.submit()["status"] == "processing"
    assert scene.received[0][0] < supplier.answers[0][0]


def test_a_supplier_that_is_down_refuses_unseen() -> None:
    """503 to submit and query, nothing in the books."""
    scene, supplier = _supplier(storm=Sure({"supplier.down": {}}))
    assert supplier.submit()["status"] == "rejected 503"
    assert supplier.query()["status"] == "rejected 503"
    assert scene.books() == []
