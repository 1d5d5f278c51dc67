"""Who may see and do what: one's own orders, cards and wallet, with a token that is good, and nothing else."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from reference_platform.ports import DAY, SECOND
from tests.chaos.live.stage import Stage, until
from tests.reference_platform.api.quiet import at_rest, refused

DENIED = b'{"error":"not_authenticated"}'


@pytest.fixture(scope="module")
def bought(stage: Stage) -> dict[str, Any]:
    """An order of u1, delivered, with its card."""
    order: dict[str, Any] = stage.order("u1", "members-bought", pay_with="wallet")
    until(lambda: stage.status(order["order_id"]) == "completed", "delivered")
    return order


def test_another_members_order_does_not_exist(stage: Stage, bought: dict[str, Any]) -> None:
    """Looked at, paid again or sent back by somebody else: word for word the answer for no order at all."""
    path = f"/orders/{bought['order_id']}"
    with refused(stage) as lines:
        for method, tail, body in (
            ("GET", "", None),
            ("POST", "/charges", {"channel": "wechat"}),
            ("POST", "/refund", None),
        ):
            theirs = stage.ask(method, path + tail, body, user="u2")
            nobodys = stage.ask(method, "/orders/order-u2-none" + tail, body, user="u2")
            assert theirs.status == 404
            assert (theirs.status, theirs.raw) == (nobodys.status, nobodys.raw)
            assert b"secret" not in theirs.raw
    assert {line["user"] for line in lines} == {"u2"}
    assert stage.ask("GET", path, user="u1").body["cards"]


def test_a_wallet_is_that_of_the_token(stage: Stage) -> None:
    """There is no way to name another member's: not in the path, the query or the body."""
    mine = stage.ask("GET", "/wallet", user="u2").body
    assert stage.ask("GET", "/wallet?user=u1", user="u2").body == mine
    with refused(stage):
        assert stage.ask("GET", "/wallet/u1", user="u2").status == 404
        body = {"client_key": "w", "sku": "game-100", "quantity": 1, "pay_with": "wallet", "user": "u1"}
        assert stage.ask("POST", "/orders", body, user="u2").status == 422


def test_an_order_can_be_no_dearer_than_the_wallet(stage: Stage) -> None:
    """And what the others have in theirs is of no help."""
    body = {"client_key": "rich", "sku": "game-100", "quantity": 30, "pay_with": "wallet"}
    with refused(stage) as lines:
        assert stage.ask("POST", "/orders", body, user="u2").status == 402
    assert lines[0]["code"] == "balance_too_low"


def test_one_members_key_is_not_anothers(stage: Stage) -> None:
    """Client keys are each member's own: the same key of two members makes two orders."""
    first, second = (stage.order(user, "members-same-key") for user in ("u1", "u2"))
    assert first["order_id"] != second["order_id"]


def test_staffs_doors_open_to_staff_only(stage: Stage) -> None:
    """A member is refused, also one whose name is `staff`."""
    with refused(stage) as lines:
        for user in ("u1", "staff"):
            passes = {"Authorization": f"Bearer {stage.tokens.issue(user, DAY)}"}
            assert stage.ask("GET", "/admin/tickets", headers=passes).status == 403
            assert stage.ask("POST", "/admin/tickets/held:x/resolve", headers=passes).status == 403
    assert {line["code"] for line in lines} == {"staff_only"}
    before = at_rest(stage)
    assert stage.ask("GET", "/admin/tickets", user="staff").body == {"tickets": []}
    assert stage.ask("POST", "/admin/tickets/held%3Aa%2Fb/resolve", user="staff").body == {
        "error": "unknown_ticket"
    }
    assert at_rest(stage) == before


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_that_is_not_ours_opens_nothing(stage: Stage) -> None:
    """Unsigned, signed by another key, in another way, expired, or saying too little: one and the same 401."""
    key, now_s = stage.keys.tokens.encode(), stage.tokens._now_us() // SECOND
    good: dict[str, Any] = {"sub": "u1", "exp": now_s + 3600}
    signed = jwt.encode(good, key, "HS256")
    head, body, seal = signed.split(".")
    other_body = _encoded({**good, "sub": "u2"})
    bad = [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {signed}",
        signed,
        f"Bearer {signed}x",
        f"Bearer {head}.{body}.",
        f"Bearer {head}.{other_body}.{seal}",
        f"Bearer {_encoded({'alg': 'none'})}.{body}.",
        f"Bearer {_encoded({'alg': 'None', 'typ': 'JWT'})}.{body}.{seal}",
        f"Bearer {jwt.encode(good, b'k' * 32, 'HS256')}",
        f"Bearer {jwt.encode(good, key + b'!' * 64, 'HS512')}",
        f"Bearer {jwt.encode(good, key, 'HS384')}",
        f"Bearer {jwt.encode({**good, 'exp': now_s - 1}, key, 'HS256')}",
        f"Bearer {jwt.encode({**good, 'exp': str(now_s + 60)}, key, 'HS256')}",
        f"Bearer {jwt.encode({'sub': 'u1'}, key, 'HS256')}",
        f"Bearer {jwt.encode({'exp': now_s + 60}, key, 'HS256')}",
        *(
            f"Bearer {jwt.encode({**good, 'sub': sub}, key, 'HS256')}"
            for sub in ("", "u1' or '1'='1", "u1\n", "u" * 65)
        ),
        f"Bearer {'a' * 5000}",
        "Bearer a.b.c.d.e",
        "Bearer \xff.\xff.\xff",
    ]
    with refused(stage) as lines:
        for authorization in bad:
            answer = stage.ask("GET", "/wallet", headers={"Authorization": authorization})
            assert (answer.status, answer.raw) == (401, DENIED), authorization
            assert answer.headers["www-authenticate"] == "Bearer"
        assert stage.ask("GET", "/wallet").raw == DENIED
    assert len(lines) == len(bad) + 1
    assert all(line["why"] for line in lines)
    assert "expired" in {line["why"] for line in lines}
    assert stage.ask("GET", "/wallet", headers={"Authorization": f"Bearer {signed}"}).status == 200


def test_nothing_secret_is_logged(stage: Stage, bought: dict[str, Any]) -> None:
    """Neither tokens nor keys nor cards nor what follows a question mark."""
    token = stage.tokens.issue("u1", DAY)
    passes = {"Authorization": f"Bearer {token}"}
    stage.ask("GET", f"/orders/{bought['order_id']}?password=hunter2", headers=passes)
    stage.ask("GET", "/wallet", headers={"Authorization": f"Bearer {token}x"})
    text = stage.log_of("platform-1").read_text()
    for secret in (token.rpartition(".")[2], stage.keys.tokens, "secret of", "hunter2", "PRIVATE KEY"):
        assert secret not in text
