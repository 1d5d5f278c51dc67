"""Requests that do not fit: SQL, control characters, novels, wrong types, wrong methods, wrong encodings.

Refused by a 4xx that says what did not fit and repeats nothing of it; logged; and no row changes.
"""

from __future__ import annotations

import json
import socket
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from tests.chaos.live.stage import HOST, Stage
from tests.reference_platform.api.quiet import refused

ORDER: dict[str, Any] = {
    "client_key": "misfit",
    "sku": "game-100",
    "quantity": 1,
    "pay_with": "wechat",
    "account": "138",
}
NASTY = (
    "' or '1'='1",
    "'; drop table dingfeng.orders; --",
    '"; select pg_sleep(10); --',
    "x' union select secret from dingfeng.cards --",
    "$$;delete from orders;$$",
    "%s %(x)s {} {0}",
    "a\x00b",
    "a\nb",
    "a\r\nX-Injected: 1",
    "\x1b[31mred",
    "\u202eover\u202c",
    "\ud800",
    "\uffff",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "a" * 10_000,
    " ",
)
NOT_STRINGS: tuple[Any, ...] = (None, True, 1, 1.5, [], ["a"], {}, {"a": 1})


def _post(stage: Stage, path: str, body: Any, user: str = "u1") -> int:
    """Sent by the json of the standard library, which encodes anything."""
    headers = {"Content-Type": "application/json", **stage.bearer(user)}
    answer = stage.ask("POST", path, raw=json.dumps(body).encode(), headers=headers)
    assert len(answer.raw) < 300, "a refusal repeats nothing"
    return answer.status


def test_sql_and_control_characters_are_refused_in_every_string_of_every_body(stage: Stage) -> None:
    """Each field of each body, each nasty text."""
    with refused(stage) as lines:
        for nasty in NASTY:
            for field in ("client_key", "sku", "pay_with", "account"):
                assert _post(stage, "/orders", {**ORDER, field: nasty}) == 422, (field, nasty)
            assert _post(stage, "/orders", {**ORDER, nasty: 1}) == 422
            assert _post(stage, "/orders/order-u1-x/charges", {"channel": nasty}) == 422
    assert {line["code"] for line in lines} == {"misfit"}
    assert {line["why"].partition(":")[0] for line in lines} >= {"body.sku", "body.account", "body.channel"}


def test_sql_and_control_characters_are_refused_in_every_path(stage: Stage) -> None:
    """Percent-encoded, in each part of a path that names something, by members, staff and counterparties."""
    with refused(stage):
        for nasty in NASTY:
            if nasty == "\ud800":
                continue  # no URL can carry it
            there = quote(nasty[:1000], safe="")
            for method, path, user in (
                ("GET", f"/orders/{there}", "u1"),
                ("POST", f"/orders/{there}/charges", "u1"),
                ("POST", f"/orders/{there}/refund", "u1"),
                ("GET", f"/products/{there}", "u1"),
                ("POST", f"/admin/tickets/{there}/resolve", "staff"),
                ("POST", f"/callbacks/{there}", ""),
                ("POST", f"/callbacks/suppliers/{there}", ""),
            ):
                body = {"channel": "wechat"} if path.endswith("charges") else None
                status = stage.ask(method, path, body, user=user).status
                assert status in (404, 422), (path, status)


def test_sql_in_headers_and_queries_is_nobodys_business(stage: Stage) -> None:
    """They reach no statement: the answer is that without them, and a request id of odd shape is not taken over."""
    plain = stage.ask("GET", "/wallet", user="u2")
    for nasty in ("' or '1'='1", "'; drop table dingfeng.orders; --"):
        answer = stage.ask(
            "GET",
            f"/wallet?user={quote(nasty)}&user=u1",
            user="u2",
            headers={"X-Request-Id": nasty, "Cookie": nasty, "User-Agent": nasty, "X-Forwarded-For": nasty},
        )
        assert (answer.status, answer.raw) == (plain.status, plain.raw)
        assert answer.headers["x-request-id"].startswith("platform-1-")
    assert (
        stage.ask("GET", "/wallet", user="u2", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"]
        == "mine-1"
    )


def test_types_are_taken_at_their_word(stage: Stage) -> None:
    """A number is no string and a string is no number; nothing is left out, added or out of bounds."""
    with refused(stage):
        for field in ("client_key", "sku", "pay_with", "account"):
            for wrong in NOT_STRINGS:
                assert _post(stage, "/orders", {**ORDER, field: wrong}) == 422, (field, wrong)
        for wrong in (None, "1", 1.0, 1.5, True, [], 0, -1, 10_001, 10**30, float("nan"), float("inf")):
            assert _post(stage, "/orders", {**ORDER, "quantity": wrong}) == 422, wrong
        for field in ("client_key", "sku", "pay_with", "quantity"):
            assert _post(stage, "/orders", {k: v for k, v in ORDER.items() if k != field}) == 422
        wholes: tuple[Any, ...] = (None, [], [ORDER], "order", 1, {})
        for whole in wholes:
            assert _post(stage, "/orders", whole) == 422


def test_bytes_that_are_no_json_are_refused(stage: Stage) -> None:
    """Cut off, in another encoding, nested beyond reason, or nothing at all."""
    headers = {"Content-Type": "application/json", **stage.bearer("u1")}
    with refused(stage):
        for raw in (b"", b"{", b"\xff\xfe\x00", b"{'sku': 1}", b"[" * 60_000, b'{"a":' * 10_000, b"\x00"):
            answer = stage.ask("POST", "/orders", raw=raw, headers=headers)
            assert answer.status in (400, 422), raw[:20]
            assert len(answer.raw) < 300


def test_a_body_of_another_type_is_refused(stage: Stage) -> None:
    """What is not application/json is 415, however well it would parse."""
    raw = json.dumps(ORDER).encode()
    with refused(stage) as lines:
        for kind in ("text/plain", "application/xml", "multipart/form-data", "application/jsonx", ""):
            headers = {"Content-Type": kind, **stage.bearer("u1")}
            assert stage.ask("POST", "/orders", raw=raw, headers=headers).status == 415
    assert {line["code"] for line in lines} == {"not_json"}


def test_wrong_methods_are_refused_and_the_right_ones_named(stage: Stage) -> None:
    """405 with Allow on every route; 404 where there is none."""
    with refused(stage) as lines:
        for path, allowed in (
            ("/orders", "POST"),
            ("/orders/order-u1-x", "GET"),
            ("/wallet", "GET"),
            ("/products/game-100", "GET"),
            ("/admin/tickets", "GET"),
            ("/callbacks/wechat", "POST"),
            ("/health", "GET"),
        ):
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "TRACE", "BREW"} - {allowed}:
                answer = stage.ask(method, path, user="u1", to="platform-1")
                assert (answer.status, answer.headers.get("allow")) == (405, allowed), (method, path)
        for path in ("/", "/order", "/orders/", "/wallet/", "/docs", "/redoc", "/.env", "//orders"):
            assert stage.ask("GET", path, user="u1", to="platform-1").status == 404, path
    assert {line["code"] for line in lines} == {"no_such_method", "no_such_route"}


def test_what_is_too_large_is_refused_unread(stage: Stage) -> None:
    """By its announced length, by what really comes, or by its headers; on routes with and without a body."""
    headers = {"Content-Type": "application/json", **stage.bearer("u1")}
    with refused(stage) as lines:
        for path in ("/orders", "/orders/order-u1-x/refund", "/callbacks/wechat", "/nowhere"):
            answer = stage.ask("POST", path, raw=b"1" * 65_537, headers=headers, to="platform-1")
            assert (answer.status, answer.body) == (413, {"error": "too_large"})
        for path in ("/orders", "/callbacks/wechat"):
            assert _chunks(stage, path, headers, 100, 1024).startswith(b"HTTP/1.1 413 ")
        assert stage.ask("GET", "/wallet", headers={"X-Long": "a" * 20_000}, to="platform-1").status == 431
        assert stage.ask("GET", f"/products/{'a' * 70_000}", to="platform-1").status == 431
    assert {line["code"] for line in lines} == {"too_large", "head_too_large"}


def _chunks(stage: Stage, path: str, headers: dict[str, str], count: int, size: int) -> bytes:
    """Post without an announced length, and read the answer."""
    with closing(socket.create_connection((HOST, stage.ports["platform-1"]), timeout=60)) as connection:
        lines = [f"POST {path} HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"]
        lines += [f"{name}: {text}" for name, text in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            for _ in range(count):
                connection.sendall(f"{size:x}\r\n".encode() + b"1" * size + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pytest.fail("it hung up before it answered")
        return connection.recv(65_536)


def test_bytes_that_are_no_http_are_refused(stage: Stage) -> None:
    """Rubbish, smuggled lengths and absurd versions get a 400 and the end of the connection."""
    with refused(stage) as lines:
        for raw in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/1.1 really\r\nHost: x\r\n\r\n",
            b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1",
            b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        ):
            with closing(
                socket.create_connection((HOST, stage.ports["platform-1"]), timeout=60)
            ) as connection:
                connection.sendall(raw)
                answer = b""
                while more := connection.recv(65_536):
                    answer += more
            assert answer.startswith(b"HTTP/1.1 400 "), raw
    assert {line["code"] for line in lines} == {"not_http"}
