"""The channel keeps its contract: charges, payments, closes, refunds, bill."""

from __future__ import annotations

import pytest

from reference_platform.ports import DAY, HOUR, MINUTE, SECOND, Request, Response, Unreachable
from sim.counterparties.channel import Channel
from sim.counterparties.contracts import ALIPAY, WECHAT, Contract
from tests.sim.counterparties.scene import EPOCH_US, Scene, Sure, code_of

EXPIRES_US = EPOCH_US + 15 * MINUTE


def _ask(channel: Channel, call: str, **body: object) -> Response:
    answer = channel.handle(Request(call, "platform-1", body))
    assert answer is not None
    return answer


def _status(channel: Channel, charge_no: str = "O1/c1") -> str:
    return str(_ask(channel, "query", charge_no=charge_no).body["status"])


def _paid(scene: Scene, contract: Contract = WECHAT, amount_fen: int = 1000) -> Channel:
    channel = scene.channel(contract)
    channel.till.create("O1/c1", amount_fen, EXPIRES_US)
    channel.pay("O1/c1", "u1")
    return channel


def test_the_same_number_and_amount_is_the_same_charge() -> None:
    """Creating is idempotent by number; another amount under it is refused."""
    scene = Scene()
    channel = scene.channel()
    first = channel.till.create("O1/c1", 1000, EXPIRES_US)
    assert channel.till.create("O1/c1", 1000, EXPIRES_US) == first
    assert scene.books("charge_opened") == [("charge_opened", "O1/c1")]
    assert code_of(lambda: channel.till.create("O1/c1", 999, EXPIRES_US)) == "OUT_TRADE_NO_USED"
    assert code_of(lambda: channel.till.create("O2/c1", 0, EXPIRES_US)) == "PARAM_ERROR"


def test_a_charge_is_paid_once() -> None:
    """The second scan of a paid code is told so, and no money moves."""
    scene = Scene()
    channel = _paid(scene)
    assert code_of(lambda: channel.pay("O1/c1", "u2")) == "ORDERPAID"
    assert [entry["paid_fen"] for entry in scene.data("captured")] == [1000]
    assert code_of(lambda: channel.till.create("O1/c1", 1000, EXPIRES_US)) == "ORDERPAID"


def test_nobody_can_pay_what_was_never_opened() -> None:
    """An unknown number is refused without effect."""
    channel = Scene().channel()
    assert code_of(lambda: channel.pay("O9/c1", "u1")) == "NOT_FOUND"
    assert _status(channel, "O9/c1") == "NOT_FOUND"


def test_a_query_tells_the_capture() -> None:
    """NOTPAY before, then SUCCESS with amount, transaction and the channel's time of capture."""
    scene = Scene()
    channel = scene.channel()
    channel.till.create("O1/c1", 1000, EXPIRES_US)
    assert _status(channel) == "NOTPAY"
    scene.wait(SECOND)
    channel.pay("O1/c1", "u1")
    answer = _ask(channel, "query", charge_no="O1/c1").body
    assert answer["status"] == "SUCCESS"
    assert (answer["paid_fen"], answer["paid_us"]) == (1000, EPOCH_US + SECOND)
    assert [entry["result"] for entry in scene.data("answered")] == ["NOTPAY", "SUCCESS"]


def test_a_code_cannot_be_paid_after_it_expired() -> None:
    """Expiry closes the charge, and a query says so."""
    scene = Scene()
    channel = scene.channel()
    channel.till.create("O1/c1", 1000, EXPIRES_US)
    scene.wait(15 * MINUTE)
    assert code_of(lambda: channel.pay("O1/c1", "u1")) == "ORDER_CLOSED"
    assert _status(channel) == "CLOSED"
    assert scene.books("closed") == [("closed", "O1/c1")]


def test_a_charge_cannot_be_closed_in_its_first_five_minutes() -> None:
    """TOO_EARLY has no effect; at five minutes the close is accepted, and paying is over."""
    scene = Scene()
    channel = scene.channel()
    channel.till.create("O1/c1", 1000, EXPIRES_US)
    scene.wait(5 * MINUTE - 1)
    assert _ask(channel, "close", charge_no="O1/c1").body == {"code": "TOO_EARLY"}
    scene.wait(1)
    assert _ask(channel, "close", charge_no="O1/c1").status == 200
    assert _ask(channel, "close", charge_no="O1/c1").status == 200
    assert code_of(lambda: channel.pay("O1/c1", "u1")) == "ORDER_CLOSED"
    assert scene.books("closed") == [("closed", "O1/c1")]
    assert [entry["result"] for entry in scene.data("answered")] == ["TOO_EARLY", "CLOSED", "CLOSED"]


def test_closing_a_paid_charge_says_paid() -> None:
    """A user can pay between the last query and the close: the close tells."""
    scene = Scene()
    channel = _paid(scene)
    scene.wait(6 * MINUTE)
    assert _ask(channel, "close", charge_no="O1/c1").body == {"code": "ORDERPAID"}
    assert _status(channel) == "SUCCESS"


def test_an_alipay_code_that_was_never_scanned_does_not_exist_and_stays_payable() -> None:
    """TRADE_NOT_EXIST on close is not a close."""
    scene = Scene()
    channel = scene.channel(ALIPAY, "alipay")
    channel.till.create("O1/c1", 1000, EXPIRES_US)
    scene.wait(6 * MINUTE)
    assert _ask(channel, "close", charge_no="O1/c1").body == {"code": "TRADE_NOT_EXIST"}
    assert channel.pay("O1/c1", "u1") == 1000


def test_a_refund_is_accepted_first_and_done_later() -> None:
    """PROCESSING until the money has moved, 5 to 60 seconds later; then a REFUND notice goes out."""
    scene = Scene()
    channel = _paid(scene)
    scene.wait(SECOND)
    assert _ask(channel, "refund", refund_no="O1/r1", charge_no="O1/c1", amount_fen=1000).status == 200
    assert _ask(channel, "query_refund", refund_no="O1/r1").body == {"status": "PROCESSING"}
    scene.wait(5 * SECOND - 1)
    assert scene.books("refund_done") == []
    scene.wait(60 * SECOND)
    assert _ask(channel, "query_refund", refund_no="O1/r1").body == {"status": "SUCCESS"}
    assert _status(channel) == "REFUND"
    assert [entry["event"] for entry in scene.data("callback_sent")] == ["SUCCESS", "REFUND"]
    assert _ask(channel, "query_refund", refund_no="O1/r2").body == {"status": "NOT_FOUND"}


def test_a_refund_number_pays_once() -> None:
    """The same request again is accepted without effect; another amount under the number is refused."""
    scene = Scene()
    channel = _paid(scene)
    channel.till.refund("O1/r1", "O1/c1", 400)
    channel.till.refund("O1/r1", "O1/c1", 400)
    assert code_of(lambda: channel.till.refund("O1/r1", "O1/c1", 300)) == "REFUND_NO_USED"
    scene.wait(2 * MINUTE)
    channel.till.refund("O1/r1", "O1/c1", 400)
    scene.wait(2 * MINUTE)
    assert [entry["amount_fen"] for entry in scene.data("refund_done")] == [400]


def test_refunds_never_exceed_the_capture_even_while_some_are_pending() -> None:
    """Accepted refunds count before they are done."""
    scene = Scene()
    channel = _paid(scene)
    channel.till.refund("O1/r1", "O1/c1", 600)
    scene.wait(MINUTE)
    assert code_of(lambda: channel.till.refund("O1/r2", "O1/c1", 401)) == "NOT_ENOUGH"
    assert code_of(lambda: channel.till.refund("O1/r2", "O1/c1", 400)) == ""
    assert code_of(lambda: channel.till.refund("O1/r3", "O1/c2", 1)) == "TRADE_NOT_EXIST"


def test_refunds_of_one_charge_are_a_minute_apart_at_most_fifty_and_within_a_year() -> None:
    """The documented limits, each at its edge."""
    scene = Scene()
    channel = _paid(scene)
    channel.till.refund("O1/r1", "O1/c1", 1)
    scene.wait(MINUTE - 1)
    assert code_of(lambda: channel.till.refund("O1/r2", "O1/c1", 1)) == "FREQUENCY_LIMITED"
    for n in range(2, 51):
        scene.wait(MINUTE)
        channel.till.refund(f"O1/r{n}", "O1/c1", 1)
    scene.wait(MINUTE)
    assert code_of(lambda: channel.till.refund("O1/r51", "O1/c1", 1)) == "TOO_MANY_REFUNDS"
    scene = Scene()
    old = _paid(scene)
    scene.wait(365 * DAY + 1)
    assert code_of(lambda: old.till.refund("O1/r1", "O1/c1", 1)) == "TRADE_OVERDUE"


def test_an_alipay_partial_refund_says_success_again_and_a_full_one_says_closed() -> None:
    """Event and query status after each, by Alipay's contract."""
    scene = Scene()
    channel = _paid(scene, ALIPAY)
    channel.till.refund("O1/r1", "O1/c1", 400)
    scene.wait(2 * MINUTE)
    assert _status(channel) == "SUCCESS"
    channel.till.refund("O1/r2", "O1/c1", 600)
    scene.wait(2 * MINUTE)
    answer = _ask(channel, "query", charge_no="O1/c1").body
    assert (answer["status"], answer["paid_fen"]) == ("CLOSED", 1000)
    assert [entry["event"] for entry in scene.data("callback_sent")] == ["SUCCESS", "SUCCESS", "REFUND"]


def test_the_bill_lists_captures_and_finished_refunds_of_its_period() -> None:
    """From `since` inclusive to `until` exclusive, oldest first; an accepted refund is not a line yet."""
    scene = Scene()
    channel = _paid(scene)
    channel.till.refund("O1/r1", "O1/c1", 400)
    assert [line[1:] for line in _ask(channel, "bill", since_us=0, until_us=2 * EPOCH_US).body["lines"]] == [
        ("capture", "O1/c1", "Twechat-O1/c1", 1000)
    ]
    scene.wait(HOUR)
    lines = _ask(channel, "bill", since_us=EPOCH_US, until_us=EPOCH_US + HOUR).body["lines"]
    assert [line[1:] for line in lines] == [
        ("capture", "O1/c1", "Twechat-O1/c1", 1000),
        ("refund", "O1/c1", "O1/r1", 400),
    ]
    assert _ask(channel, "bill", since_us=EPOCH_US + 1, until_us=lines[1][0]).body["lines"] == []


def test_a_static_code_brings_money_without_any_order() -> None:
    """Opened and captured in one; a query knows it, the bill lists it, a callback tells."""
    scene = Scene()
    channel = scene.channel()
    assert channel.pay_static("Q-u1-3", "u1", 500) == 500
    assert scene.books() == [("charge_opened", "Q-u1-3"), ("captured", "Q-u1-3")]
    scene.wait(SECOND)
    assert [message.resource["charge_no"] for message in scene.messages() if message] == ["Q-u1-3"]


# ---------------------------------------------------------------- misbehaviour


def test_a_channel_that_is_down_refuses_everything_unseen() -> None:
    """Platform and payer are turned away; nothing is booked."""
    scene = Scene(Sure({"channel.down": {}}))
    channel = scene.channel()
    answer = _ask(channel, "create", charge_no="O1/c1", amount_fen=1, expires_us=EXPIRES_US)
    assert answer.status == 503
    with pytest.raises(Unreachable):
        channel.pay("O1/c1", "u1")
    assert scene.books() == []


@pytest.mark.parametrize("effect", [True, False])
def test_a_lost_answer_may_or_may_not_have_had_its_effect(effect: bool) -> None:
    """No answer either way, and none is booked; only the books of the charge tell which it was."""
    storm = Sure(
        {"channel.result_unknown": {"effect": effect}}, lambda key: key[1] == "refund" and key[2] == "1"
    )
    scene = Scene(storm)
    channel = _paid(scene)
    refund = Request("refund", "p", {"refund_no": "O1/r1", "charge_no": "O1/c1", "amount_fen": 1000})
    assert channel.handle(refund) is None
    assert len(scene.books("refund_accepted")) == effect
    answer = channel.handle(refund)
    assert answer is not None
    assert answer.status == 200
    assert scene.books("refund_accepted") == [("refund_accepted", "O1/c1")]
    assert storm.sites == [("channel.result_unknown", "wechat", ("O1/r1", "refund", "1"))]


def test_a_query_can_lag_behind_the_capture() -> None:
    """NOTPAY for the lag, although the money is there; the close is not fooled."""
    scene = Scene(Sure({"channel.query_lag": {"lag_us": 8 * MINUTE}}))
    channel = _paid(scene)
    scene.wait(8 * MINUTE - 1)
    assert _status(channel) == "NOTPAY"
    assert _ask(channel, "close", charge_no="O1/c1").body == {"code": "ORDERPAID"}
    scene.wait(1)
    assert _status(channel) == "SUCCESS"


def test_a_capture_can_differ_from_what_was_asked() -> None:
    """Book, query and notice agree on the amount that was really captured."""
    scene = Scene(Sure({"channel.callback_amount": {"delta_fen": -1}}))
    channel = _paid(scene)
    scene.wait(SECOND)
    assert scene.data("captured")[0]["paid_fen"] == 999
    assert _ask(channel, "query", charge_no="O1/c1").body["paid_fen"] == 999
    assert [message.resource["paid_fen"] for message in scene.messages() if message] == [999]


def test_a_refund_can_fail_after_it_was_accepted() -> None:
    """ABNORMAL, booked with its code; the money can be asked for under another number."""
    scene = Scene(Sure({"channel.refund_failed": {"code": "ACCOUNT_FROZEN"}}, lambda key: key[-1] == "O1/r1"))
    channel = _paid(scene)
    channel.till.refund("O1/r1", "O1/c1", 1000)
    scene.wait(2 * MINUTE)
    assert _ask(channel, "query_refund", refund_no="O1/r1").body == {"status": "ABNORMAL"}
    assert scene.data("refund_failed")[0]["code"] == "ACCOUNT_FROZEN"
    channel.till.refund("O1/r2", "O1/c1", 1000)
    scene.wait(2 * MINUTE)
    assert scene.data("refund_done")[0]["refund_no"] == "O1/r2"


def test_a_lingering_code_survives_close_and_expiry() -> None:
    """The close answers TRADE_NOT_EXIST and wakes the payer, once; the late payment is captured."""
    scene = Scene()
    channel = scene.channel()
    channel.till.create("O1/c1", 1000, EXPIRES_US)
    woken: list[int] = []
    channel.linger("O1/c1", lambda: woken.append(scene.kernel.now))
    scene.wait(15 * MINUTE)
    assert _ask(channel, "close", charge_no="O1/c1").body == {"code": "TRADE_NOT_EXIST"}
    scene.wait(HOUR)
    assert woken == [15 * MINUTE]
    assert channel.pay("O1/c1", "u1") == 1000


def test_a_lingering_code_wakes_its_payer_although_nobody_closes_it() -> None:
    """A platform that closes by its own timer never asks the channel; the user pays all the same."""
    scene = Scene()
    channel = scene.channel()
    channel.till.create("O1/c1", 1000, EXPIRES_US)
    woken: list[int] = []
    channel.linger("O1/c1", lambda: woken.append(scene.kernel.now))
    scene.wait(HOUR)
    assert woken == [15 * MINUTE + 30 * SECOND]
    channel.linger("O9/c9", lambda: woken.append(-1))
    assert woken[-1] == -1


def test_the_same_seed_makes_the_same_history() -> None:
    """Delays come from keyed draws: two runs agree to the byte, another seed does not."""

    def digest(seed: int) -> str:
        scene = Scene()
        channel = scene.channel(seed=seed)
        for n in range(5):
            channel.till.create(f"O{n}/c1", 100, EXPIRES_US)
            channel.pay(f"O{n}/c1", "u1")
            channel.till.refund(f"O{n}/r1", f"O{n}/c1", 100)
        scene.wait(HOUR)
        return scene.history.digest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)
