"""Callbacks that are not what they seem: forged, tampered, replayed, or meant for another order.

Each is sent over HTTP to a running platform, sealed by real keys where an attacker may have got hold of
one. Nothing of it may reach a table.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from chaos.live import keys
from chaos.opening import APP_ID
from reference_platform.adapters.seals import NONCE, SEAL_HEADERS, SIGNATURE, TIMESTAMP, Message
from sim.counterparties.signatures import RsaSeal
from tests.chaos.live.stage import Stage, until
from tests.reference_platform.api.quiet import refused

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def unpaid(stage: Stage) -> dict[str, Any]:
    """An order that waits for its money."""
    order: dict[str, Any] = stage.order("u2", "callbacks-unpaid")
    return order


@pytest.fixture(scope="module")
def paid(stage: Stage) -> dict[str, Any]:
    """An order that was paid and delivered."""
    order: dict[str, Any] = stage.order("u1", "callbacks-paid")
    assert stage.pay(order).status == 200
    until(lambda: stage.status(order["order_id"]) == "completed", "delivered")
    return order


def _notice(order: dict[str, Any], **changed: Any) -> Message:
    resource = {
        "app_id": APP_ID,
        "charge_no": order["charge_no"],
        "transaction_id": f"Twechat-{order['charge_no']}",
        "paid_fen": order["payable_fen"],
        "paid_us": 1_704_067_300_000_000,
        **changed,
    }
    return Message(f"{order['charge_no']}.n1", "SUCCESS", resource)


def _sealed(stage: Stage, message: Message, party: str = "wechat") -> tuple[dict[str, str], bytes]:
    headers, raw = keys.seal(stage.keys.sealing[party]).close(message, 1_704_067_300, "n1")
    return {**headers, **JSON}, raw


def test_a_callback_without_a_whole_seal_is_refused(stage: Stage, unpaid: dict[str, Any]) -> None:
    """No seal, half a seal, or one of zeros: 401, and the order stays unpaid."""
    headers, raw = _sealed(stage, _notice(unpaid))
    with refused(stage) as lines:
        for broken in (
            JSON,
            *({name: text for name, text in headers.items() if name != gone} for gone in SEAL_HEADERS),
            *({**headers, SIGNATURE: wrong} for wrong in ("", "0" * 344, "é", "====", "' or 1=1 --")),
            {**headers, TIMESTAMP: "1704067301"},
            {**headers, NONCE: "n2"},
        ):
            answer = stage.ask("POST", "/callbacks/wechat", raw=raw, headers=_latin(broken))
            assert (answer.status, answer.raw) == (401, b"fail")
    assert {line["code"] for line in lines} == {"bad_signature"}


def _latin(headers: dict[str, str]) -> dict[str, Any]:
    return {name: text.encode("latin-1") for name, text in headers.items()}


def test_a_callback_sealed_by_a_stranger_is_refused(stage: Stage, unpaid: dict[str, Any]) -> None:
    """Everything right but the key: the attacker's own, and that of another counterparty."""
    stranger = RsaSeal(generate_private_key(65537, 2048), b"k" * 32)
    headers, raw = stranger.close(_notice(unpaid), 1_704_067_300, "n1")
    with refused(stage):
        assert stage.ask("POST", "/callbacks/wechat", raw=raw, headers=headers).status == 401
        headers, raw = _sealed(stage, _notice(unpaid), "alipay")
        assert stage.ask("POST", "/callbacks/wechat", raw=raw, headers=headers).status == 401
        message = Message(
            "a.n1", "success", {"attempt_no": "a", "status": "success", "delivered": 1, "cost_fen": 1}
        )
        headers, raw = _sealed(stage, message, "alpha")
        assert stage.ask("POST", "/callbacks/suppliers/beta", raw=raw, headers=headers).status == 401


def test_a_tampered_callback_is_refused(stage: Stage, unpaid: dict[str, Any]) -> None:
    """A byte more, a byte less, a byte changed, or the same JSON written another way."""
    headers, raw = _sealed(stage, _notice(unpaid))
    with refused(stage):
        again = json.dumps(json.loads(raw), indent=1).encode()
        for other in (raw + b" ", raw[:-1], raw.replace(b"SUCCESS", b"REFUNDX"), b"", again):
            assert stage.ask("POST", "/callbacks/wechat", raw=other, headers=headers).status == 401


def test_a_replayed_callback_changes_nothing(stage: Stage, paid: dict[str, Any]) -> None:
    """The very bytes of a notice that was acted on, three times more: acknowledged, so that it stops."""
    from tests.reference_platform.api.quiet import at_rest

    headers, raw = _sealed(stage, _notice(paid))
    before = at_rest(stage)
    for _ in range(3):
        assert stage.ask("POST", "/callbacks/wechat", raw=raw, headers=headers).raw == b"success"
    after = stage.tables()
    assert after == before


def test_a_notice_for_an_order_that_was_not_paid_has_no_effect(
    stage: Stage, paid: dict[str, Any], unpaid: dict[str, Any]
) -> None:
    """Sealed with the channel's own key, that leaked: unpaid; another order's capture; a single fen."""
    with refused(stage) as lines:
        for changed in (
            {},
            {"transaction_id": f"Twechat-{paid['charge_no']}"},
            {"paid_fen": 1},
        ):
            headers, raw = _sealed(stage, _notice(unpaid, **changed))
            answer = stage.ask("POST", "/callbacks/wechat", raw=raw, headers=headers)
            assert (answer.status, answer.raw) == (503, b"fail")
    assert {line["code"] for line in lines} == {"not_confirmed"}
    assert stage.status(unpaid["order_id"], "u2") == "created"


def test_a_notice_for_another_merchant_is_refused(stage: Stage, unpaid: dict[str, Any]) -> None:
    """However well it is sealed."""
    headers, raw = _sealed(stage, _notice(unpaid, app_id="app-other"))
    with refused(stage) as lines:
        assert stage.ask("POST", "/callbacks/wechat", raw=raw, headers=headers).status == 403
    assert [line["code"] for line in lines] == ["not_our_app"]


def test_a_sealed_message_of_the_wrong_shape_is_refused(stage: Stage, unpaid: dict[str, Any]) -> None:
    """A signature says who speaks, not that it makes sense: no field may be missing or of another type."""
    resource = dict(_notice(unpaid).resource)
    with refused(stage):
        for name in resource:
            for wrong in ({k: v for k, v in resource.items() if k != name}, {**resource, name: [None]}):
                headers, raw = _sealed(stage, Message("n", "SUCCESS", wrong))
                assert stage.ask("POST", "/callbacks/wechat", raw=raw, headers=headers).status == 401


def test_callbacks_of_nobody_are_refused(stage: Stage) -> None:
    """Counterparties that the shop does not have, or names that are none."""
    with refused(stage):
        for path, status in (
            ("/callbacks/paypal", 404),
            ("/callbacks/suppliers/omega", 404),
            (
                "/callbacks/supplier.alpha",
                401,
            ),  # one name of alpha's own route; sealed by nobody all the same
            ("/callbacks/we'chat", 422),
            ("/callbacks/suppliers/%00", 422),
            ("/callbacks", 404),
            ("/callbacks/wechat/more", 404),
        ):
            assert stage.ask("POST", path, raw=b"{}", headers=JSON).status == status, path
