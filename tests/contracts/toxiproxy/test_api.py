"""Routes, statuses and messages: what Toxiproxy's clients rely on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.toxiproxy.servers import Server

PROXY = {"name": "shop", "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0"}


def shown(proxy: dict[str, Any]) -> dict[str, Any]:
    """A proxy without what development builds of the upstream server leak into it."""
    return {name: value for name, value in proxy.items() if name != "Logger"}


def test_a_created_proxy_is_shown_with_the_port_it_got(server: Server) -> None:
    """201; port 0 and the name localhost are resolved; enabled unless told otherwise."""
    made = server.ask("POST", "/proxies", {**PROXY, "listen": "localhost:0"})
    assert made.status == 201
    assert made.headers["content-type"] == "application/json"
    host, port = made.body["listen"].split(":")
    assert (host, int(port) > 0) == ("127.0.0.1", True)
    expected = {**PROXY, "listen": f"127.0.0.1:{port}", "enabled": True, "toxics": []}
    assert shown(made.body) == expected
    assert shown(server.done("GET", "/proxies/shop")) == expected
    assert {name: shown(one) for name, one in server.done("GET", "/proxies").items()} == {"shop": expected}


def test_names_of_fields_are_read_in_any_case_and_null_is_absent(server: Server) -> None:
    """As Go reads JSON; fields that nobody knows are ignored."""
    body = {
        "Name": "shop",
        "UPSTREAM": "127.0.0.1:1",
        "listen": "127.0.0.1:0",
        "enabled": None,
        "colour": "red",
    }
    assert server.done("POST", "/proxies", body)["enabled"] is True


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"upstream": "127.0.0.1:1"}, "missing required field: name"),
        ({"name": "shop"}, "missing required field: upstream"),
        (b"", "bad request body: EOF"),
        (b'{"name":', "bad request body: "),
        (b'{"x":' + b"[" * 20_000, "bad request body: "),
        ([], "bad request body: "),
        ({**PROXY, "name": 1}, "bad request body: "),
        ({**PROXY, "enabled": "yes"}, "bad request body: "),
    ],
)
def test_a_proxy_that_cannot_be_made_is_refused_with_400(server: Server, body: object, message: str) -> None:
    """The message names the field; what follows `bad request body: ` is each server's own."""
    answer = server.ask("POST", "/proxies", body)
    assert (answer.status, answer.body["status"]) == (400, 400)
    assert answer.body["error"].startswith(message)
    assert server.done("GET", "/proxies") == {}


def test_a_second_proxy_of_one_name_is_refused_with_409(server: Server) -> None:
    """The first one stays."""
    server.done("POST", "/proxies", PROXY)
    answer = server.ask("POST", "/proxies", PROXY)
    assert (answer.status, answer.body) == (409, {"error": "proxy already exists", "status": 409})


def test_an_address_that_cannot_be_had_is_500_and_makes_no_proxy(server: Server) -> None:
    """Taken, or no address at all."""
    listen = server.done("POST", "/proxies", PROXY)["listen"]
    for address in (listen, "nonsense"):
        answer = server.ask("POST", "/proxies", {**PROXY, "name": "other", "listen": address})
        assert (answer.status, answer.body["status"]) == (500, 500)
    assert list(server.done("GET", "/proxies")) == ["shop"]


@pytest.mark.parametrize("verb", ["POST", "PATCH"])
def test_an_update_moves_a_proxy_and_ignores_a_name(server: Server, verb: str) -> None:
    """Fields that are not named stay; a disabled proxy stays disabled."""
    server.done("POST", "/proxies", PROXY)
    moved = server.done(verb, "/proxies/shop", {"name": "other", "upstream": "127.0.0.1:2"})
    assert (moved["name"], moved["upstream"], moved["enabled"]) == ("shop", "127.0.0.1:2", True)
    closed = server.done(verb, "/proxies/shop", {"enabled": False})
    assert (closed["listen"], closed["enabled"]) == (moved["listen"], False)
    assert server.done(verb, "/proxies/shop", {"upstream": "127.0.0.1:3"})["enabled"] is False


def test_what_is_not_there_is_404(server: Server) -> None:
    """Proxies, toxics and routes, each in its own words; a verb that a route does not know is 405."""
    server.done("POST", "/proxies", PROXY)
    for verb, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("GET", "/toxics"), ("POST", "/toxics")):
        answer = server.ask(verb, f"/proxies/other{path}", {} if verb == "POST" else None)
        assert (answer.status, answer.body) == (404, {"error": "proxy not found", "status": 404})
    for verb in ("GET", "POST", "PATCH", "DELETE"):
        answer = server.ask(verb, "/proxies/shop/toxics/other", {} if verb in {"POST", "PATCH"} else None)
        assert (answer.status, answer.body) == (404, {"error": "toxic not found", "status": 404})
    assert server.ask("GET", "/elsewhere")[:2] == (404, "404 page not found\n")
    assert server.ask("GET", "/proxies/")[:2] == (404, "404 page not found\n")
    assert server.ask("PUT", "/proxies")[:2] == (405, None)
    assert server.ask("HEAD", "/proxies")[:2] == (405, None)


def test_a_deleted_proxy_is_gone(server: Server) -> None:
    """204 without a body; its port is free again."""
    listen = server.done("POST", "/proxies", PROXY)["listen"]
    assert server.ask("DELETE", "/proxies/shop")[:2] == (204, None)
    assert server.done("POST", "/proxies", {**PROXY, "listen": listen})["listen"] == listen


def test_a_toxic_is_shown_with_its_defaults(server: Server) -> None:
    """200, not 201; downstream, toxicity 1, named by type and stream, every attribute there."""
    server.done("POST", "/proxies", PROXY)
    made = server.ask(
        "POST", "/proxies/shop/toxics", {"type": "latency", "attributes": {"latency": 5, "x": 1}}
    )
    assert made.status == 200
    assert made.body == {
        "attributes": {"latency": 5, "jitter": 0},
        "name": "latency_downstream",
        "type": "latency",
        "stream": "downstream",
        "toxicity": 1,
    }
    assert server.done("GET", "/proxies/shop/toxics/latency_downstream") == made.body
    assert server.done("GET", "/proxies/shop")["toxics"] == [made.body]


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("noop", {}),
        ("latency", {"latency": 0, "jitter": 0}),
        ("bandwidth", {"rate": 0}),
        ("slow_close", {"delay": 0}),
        ("timeout", {"timeout": 0}),
        ("reset_peer", {"timeout": 0}),
        ("slicer", {"average_size": 0, "size_variation": 0, "delay": 0}),
        ("limit_data", {"bytes": 0}),
    ],
)
def test_every_type_has_the_attributes_of_the_contract(
    server: Server, kind: str, attributes: dict[str, int]
) -> None:
    """All are whole numbers and 0 when not given; a fraction or a text is refused."""
    server.done("POST", "/proxies", PROXY)
    made = server.done("POST", "/proxies/shop/toxics", {"type": kind, "stream": "upstream"})
    assert (made["attributes"], made["name"]) == (attributes, f"{kind}_upstream")
    for name in attributes:
        for wrong in (1.5, "1"):
            answer = server.ask("POST", "/proxies/shop/toxics", {"type": kind, "attributes": {name: wrong}})
            assert answer.status == 400
            assert answer.body["error"].startswith("bad request body: ")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"type": "fog"}, 400, "invalid toxic type"),
        ({}, 400, "invalid toxic type"),
        ({"type": "noop", "stream": "both"}, 400, "stream was invalid, can be either upstream or downstream"),
        ({"type": "fog", "stream": "both"}, 400, "stream was invalid, can be either upstream or downstream"),
        ({"type": "latency"}, 409, "toxic already exists"),
        ({"type": "noop", "name": "latency_downstream", "stream": "upstream"}, 409, "toxic already exists"),
    ],
)
def test_a_toxic_that_cannot_be_made_is_refused(
    server: Server, body: object, status: int, message: str
) -> None:
    """Stream before type before name; a name is unique over both streams."""
    server.done("POST", "/proxies", PROXY)
    server.done("POST", "/proxies/shop/toxics", {"type": "latency"})
    answer = server.ask("POST", "/proxies/shop/toxics", body)
    assert (answer.status, answer.body) == (status, {"error": message, "status": status})


def test_toxics_are_listed_upstream_first_each_in_the_order_of_adding(server: Server) -> None:
    """The order of the chain."""
    server.done("POST", "/proxies", PROXY)
    for name, stream in (("a", "downstream"), ("b", "upstream"), ("c", "downstream"), ("d", "upstream")):
        server.done("POST", "/proxies/shop/toxics", {"type": "noop", "name": name, "stream": stream})
    assert [toxic["name"] for toxic in server.done("GET", "/proxies/shop/toxics")] == ["b", "d", "a", "c"]
    assert server.ask("DELETE", "/proxies/shop/toxics/d")[:2] == (204, None)
    assert [toxic["name"] for toxic in server.done("GET", "/proxies/shop/toxics")] == ["b", "a", "c"]


@pytest.mark.parametrize("verb", ["POST", "PATCH"])
def test_an_update_of_a_toxic_merges(server: Server, verb: str) -> None:
    """Attributes and toxicity; anything else is ignored, a wrong attribute refused."""
    server.done("POST", "/proxies", PROXY)
    server.done(
        "POST", "/proxies/shop/toxics", {"type": "latency", "attributes": {"latency": 5, "jitter": 2}}
    )
    path = "/proxies/shop/toxics/latency_downstream"
    changed = server.done(verb, path, {"attributes": {"latency": 9}, "toxicity": 0.5, "type": "noop"})
    assert (changed["attributes"], changed["toxicity"], changed["type"]) == (
        {"latency": 9, "jitter": 2},
        0.5,
        "latency",
    )
    assert server.ask(verb, path, {"attributes": {"latency": "x"}}).status == 400
    assert server.done("GET", path) == changed


def test_populate_adds_in_order_and_leaves_alone_what_is_as_wanted(server: Server) -> None:
    """A proxy whose listen and upstream are the same keeps its toxics; another upstream replaces it."""
    first = server.ask("POST", "/populate", [PROXY, {**PROXY, "name": "bank", "enabled": False}])
    assert first.status == 201
    assert [(one["name"], one["enabled"]) for one in first.body["proxies"]] == [
        ("shop", True),
        ("bank", False),
    ]
    listen = first.body["proxies"][0]["listen"]
    server.done("POST", "/proxies/shop/toxics", {"type": "noop"})
    same = server.done("POST", "/populate", [{**PROXY, "listen": listen}])
    assert len(same["proxies"][0]["toxics"]) == 1
    other = server.done("POST", "/populate", [{**PROXY, "listen": listen, "upstream": "127.0.0.1:2"}])
    assert (other["proxies"][0]["upstream"], other["proxies"][0]["toxics"]) == ("127.0.0.1:2", [])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([PROXY, {"upstream": "127.0.0.1:1"}], "missing required field: name at proxy 2"),
        ([{"name": "x"}], "missing required field: upstream at proxy 1"),
        ({}, "bad request body: "),
        (b"[", "bad request body: "),
    ],
)
def test_populate_checks_every_entry_before_it_makes_any(server: Server, body: object, message: str) -> None:
    """400 with the error and no proxies."""
    answer = server.ask("POST", "/populate", body)
    assert (answer.status, answer.body["proxies"]) == (400, None)
    assert answer.body["error"].startswith(message)
    assert server.done("GET", "/proxies") == {}


def test_populate_tells_what_was_done_before_an_address_could_not_be_had(server: Server) -> None:
    """500; the proxies before the bad one are there."""
    answer = server.ask("POST", "/populate", [PROXY, {**PROXY, "name": "bad", "listen": "nonsense"}])
    assert (answer.status, answer.body["status"]) == (500, 500)
    assert [one["name"] for one in answer.body["proxies"]] == ["shop"]
    assert list(server.done("GET", "/proxies")) == ["shop"]


def test_browsers_are_turned_away_and_every_routed_answer_has_a_number(server: Server) -> None:
    """403 for a `User-Agent` that begins with Mozilla/; the numbers differ."""
    refused = server.ask("GET", "/version", User_Agent="Mozilla/5.0")
    assert refused[:2] == (403, "User agent not allowed\n")
    numbers = {server.ask("GET", "/version").headers["x-toxiproxy-request-id"] for _ in range(3)}
    assert len(numbers) == 3
    assert "version" in server.done("GET", "/version")
