"""Callbacks: the retry schedule, what counts as an acknowledgement, and the ways one goes astray."""

from __future__ import annotations

import itertools

import pytest

from reference_platform.ports import HOUR, MINUTE, SECOND, Response
from sim.counterparties.contracts import ALIPAY, WECHAT, Contract
from sim.counterparties.signatures import NONCE, SIGNATURE
from tests.sim.counterparties.scene import EPOCH_US, FAIL, OK, SEAL, Scene, Sure

EXPIRES_US = EPOCH_US + 15 * MINUTE


def _pay(scene: Scene, contract: Contract = WECHAT, charge_no: str = "O1/c1") -> None:
    channel = scene.channel(contract, contract.name)
    channel.till.create(charge_no, 1000, EXPIRES_US)
    channel.pay(charge_no, "u1")


def _gaps_s(scene: Scene) -> list[int]:
    times = [at_us for at_us, _ in scene.received]
    return [(later - earlier) // SECOND for earlier, later in itertools.pairwise(times)]


def test_an_accepted_notice_is_not_repeated() -> None:
    """One notice within a second of the capture, one ack, and silence."""
    scene = Scene()
    _pay(scene)
    assert scene.kernel.run_until_idle(48 * HOUR)
    assert scene.kernel.now < 2 * SECOND  # nothing is left in the queue either
    (at_us, request), *rest = scene.received
    assert rest == []
    assert at_us < SECOND
    assert request.action == "callback.wechat"
    assert scene.books("callback_sent", "callback_acked") == [
        ("callback_sent", "O1/c1"),
        ("callback_acked", "O1/c1"),
    ]
    assert scene.data("callback_acked")[0]["accepted"] is True


@pytest.mark.parametrize("answer", [FAIL, None], ids=["refused", "no answer in 5 s"])
def test_wechat_retries_fifteen_times_over_a_day(answer: Response | None) -> None:
    """15s, 15s, 30s, 3m, 10m, 20m, 30m, 30m, 30m, 60m, 3h, 3h, 3h, 6h, 6h: 24 h 4 min in all."""
    scene = Scene(reply=lambda *_: answer)
    _pay(scene)
    scene.wait(48 * HOUR)
    minutes = [m * 60 for m in (3, 10, 20, 30, 30, 30, 60, 180, 180, 180, 360, 360)]
    assert _gaps_s(scene) == [15, 15, 30, *minutes]
    assert sum(_gaps_s(scene)) == (24 * 60 + 4) * 60
    assert [entry["attempt"] for entry in scene.data("callback_sent")] == list(range(1, 17))
    assert len(scene.data("callback_acked")) == (16 if answer else 0)


def test_alipay_sends_eight_notices() -> None:
    """The first, and seven more at 4m, 10m, 10m, 1h, 2h, 6h, 15h."""
    scene = Scene(reply=lambda *_: FAIL)
    _pay(scene, ALIPAY)
    scene.wait(48 * HOUR)
    assert _gaps_s(scene) == [240, 600, 600, 3600, 7200, 21600, 54000]


@pytest.mark.parametrize(
    ("contract", "response", "accepted"),
    [
        (WECHAT, Response(200), True),
        (WECHAT, Response(204), True),
        (WECHAT, Response(200, raw=b"fail"), True),  # it never reads the body: FAIL with 200 is lost for good
        (WECHAT, Response(201), False),
        (WECHAT, Response(500, raw=b"success"), False),
        (ALIPAY, Response(200, raw=b"success"), True),
        (ALIPAY, Response(200, raw=b"SUCCESS"), False),
        (ALIPAY, Response(200, raw=b"success\n"), False),
        (ALIPAY, Response(204), False),
        (ALIPAY, Response(500, raw=b"success"), False),
    ],
)
def test_what_counts_as_an_acknowledgement(contract: Contract, response: Response, accepted: bool) -> None:
    """WeChat Pay reads the status alone, Alipay the exact body."""
    scene = Scene(reply=lambda *_: response)
    _pay(scene, contract)
    scene.wait(HOUR)
    assert (len(scene.received) == 1) is accepted
    assert scene.data("callback_acked")[0]["accepted"] is accepted


def test_retries_keep_their_id_and_carry_fresh_signatures() -> None:
    """Each attempt is signed anew over its own time and nonce; the notice id never changes."""
    scene = Scene(reply=lambda _, n: OK if n == 4 else FAIL)
    _pay(scene)
    scene.wait(HOUR)
    messages = scene.messages()
    assert len(messages) == 4
    assert {message.notify_id for message in messages if message} == {"O1/c1.n1"}
    for header in (NONCE, SIGNATURE):
        assert len({request.headers[header] for _, request in scene.received}) == 4


def test_a_lost_attempt_is_booked_as_sent_and_retried() -> None:
    """Delivery is not guaranteed; the channel only sees that no ack came."""
    scene = Scene(Sure({"channel.callback_loss": {}}, lambda key: key[-1] in {"1", "2"}))
    _pay(scene)
    scene.wait(HOUR)
    assert [entry["attempt"] for entry in scene.data("callback_sent")] == [1, 2, 3]
    assert len(scene.received) == 1
    assert scene.received[0][0] >= 30 * SECOND


def test_a_doubled_callback_arrives_with_the_same_bytes() -> None:
    """Copies follow at their spacing, each booked; the ack of one does not stop the others."""
    scene = Scene(Sure({"channel.callback_duplicate": {"copies": 2, "spacing_us": 100_000}}))
    _pay(scene)
    scene.wait(HOUR)
    assert len({request.raw for _, request in scene.received}) == 1
    times = [at_us for at_us, _ in scene.received]
    assert [at_us - times[0] for at_us in times] == [0, 100_000, 200_000]
    assert [entry["attempt"] for entry in scene.data("callback_sent")] == [1, 1, 1]
    assert len(scene.data("callback_acked")) == 3


def test_an_accepted_copy_ends_the_retries() -> None:
    """The channel does not care which of its deliveries was acknowledged, nor what came after."""
    storm = Sure(
        {"channel.callback_duplicate": {"copies": 2, "spacing_us": 1000}}, lambda key: key[-1] == "1"
    )
    scene = Scene(storm, reply=lambda _, n: OK if n == 2 else FAIL)
    _pay(scene)
    scene.wait(HOUR)
    assert len(scene.received) == 3


def test_a_delayed_notice_is_late_with_all_its_retries() -> None:
    """The delay holds up the queue of the notice, not one attempt that the next would overtake."""
    scene = Scene(Sure({"channel.callback_delay": {"delay_us": 20 * MINUTE}}), reply=lambda *_: FAIL)
    _pay(scene)
    scene.wait(20 * MINUTE)
    assert scene.received == []
    scene.wait(MINUTE)
    assert _gaps_s(scene) == [15, 15]


def test_reordering_lets_a_refund_notice_overtake_the_payment_notice() -> None:
    """Extra delays are drawn per notice, so among many charges some tell the refund first."""
    scene = Scene(Sure({"channel.callback_reorder": {"spread_us": 30 * MINUTE}}))
    channel = scene.channel()
    for n in range(20):
        channel.till.create(f"O{n}/c1", 100, EXPIRES_US)
        channel.pay(f"O{n}/c1", "u1")
        channel.till.refund(f"O{n}/r1", f"O{n}/c1", 100)
    scene.wait(2 * HOUR)
    firsts: dict[str, str] = {}
    for message in scene.messages():
        assert message is not None
        firsts.setdefault(message.resource["charge_no"], message.event)
    assert set(firsts.values()) == {"SUCCESS", "REFUND"}


@pytest.mark.parametrize("forgery", ["signature", "order", "app", "amount", "unpaid"])
def test_a_forgery_is_posted_once_and_never_booked(forgery: str) -> None:
    """Each kind is wrong in its own way; none of them is in the channel's books or is retried."""
    scene = Scene(
        Sure({"channel.callback_forged": {"forgery": forgery}}, lambda key: key == ("O2/c1",)),
        lambda *_: FAIL,
    )
    channel = scene.channel()
    channel.till.create("O1/c1", 700, EXPIRES_US)
    channel.till.capture(channel.till.payable("O1/c1"), "u1", 700)
    scene.received.clear()
    create = {"charge_no": "O2/c1", "amount_fen": 1000, "expires_us": EXPIRES_US}
    for _ in range(2):  # asking for the same charge again lures nobody
        channel._create(create)
    scene.wait(5 * SECOND)
    forged = [(r, SEAL.open(r.headers, r.raw)) for _, r in scene.received if b"O2/c1" in r.raw]
    assert len(forged) == 1
    assert all(ref == "O1/c1" for entry, ref in scene.books("callback_sent", "captured"))
    message = forged[0][1]
    if forgery == "signature":
        assert message is None
        return
    assert message is not None
    said = message.resource
    assert said["charge_no"] == "O2/c1"
    assert (said["app_id"] == "app-1") is (forgery != "app")
    assert said["paid_fen"] == {"order": 700, "amount": 1}.get(forgery, 1000)
    assert (said["transaction_id"] == "Twechat-O1/c1") is (forgery == "order")
