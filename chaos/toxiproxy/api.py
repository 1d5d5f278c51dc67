"""The routes of the API, as Toxiproxy's clients know them; `/touched` and toxics at creation are our own."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import msgspec
from aiohttp import web

from chaos.toxiproxy.collection import Collection
from chaos.toxiproxy.proxy import Proxy
from chaos.toxiproxy.refusal import Refusal, bad_body

VERSION = "2.12.0"  # of the upstream server that this one answers like; clients choose their verbs by it
_BODY_BYTES = 16 * 1024 * 1024  # of one request

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_COLLECTION = web.AppKey("collection", Collection)
_NUMBERS: web.AppKey[Iterator[int]] = web.AppKey("numbers")  # of requests


def application(collection: Collection) -> web.Application:
    """The routes over one collection."""
    app = web.Application(middlewares=[_outside], client_max_size=_BODY_BYTES)
    app[_COLLECTION] = collection
    app[_NUMBERS] = count(1)
    proxy, toxic = "/proxies/{proxy}", "/proxies/{proxy}/toxics/{toxic}"
    app.router.add_routes(
        [
            web.get("/version", _version, allow_head=False),
            web.get("/metrics", _metrics, allow_head=False),
            web.post("/reset", _reset),
            web.post("/populate", _populate),
            web.get("/proxies", _list, allow_head=False),
            web.post("/proxies", _create),
            web.get("/touched", _all_touched, allow_head=False),
            web.get(proxy, _show, allow_head=False),
            web.post(proxy, _update),
            web.patch(proxy, _update),
            web.delete(proxy, _delete),
            web.get(f"{proxy}/touched", _touched, allow_head=False),
            web.get(f"{proxy}/toxics", _toxics, allow_head=False),
            web.post(f"{proxy}/toxics", _add_toxic),
            web.get(toxic, _show_toxic, allow_head=False),
            web.post(toxic, _change_toxic),
            web.patch(toxic, _change_toxic),
            web.delete(toxic, _remove_toxic),
        ]
    )
    return app


@web.middleware
async def _outside(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """No browsers, refusals as documents, a number for each routed request."""
    missed = request.match_info.http_exception
    if missed is not None:
        text = "404 page not found\n" if missed.status == 404 else ""
        return web.Response(status=missed.status, text=text)
    response: web.StreamResponse
    if request.headers.get("User-Agent", "").startswith("Mozilla/"):
        response = web.Response(status=403, text="User agent not allowed\n")
    else:
        try:
            response = await handler(request)
        except Refusal as refusal:
            response = web.Response(status=refusal.status, text=_dumps(refusal.shown()) + "\n")
    numbers = request.app[_NUMBERS]
    response.headers["X-Toxiproxy-Request-Id"] = f"{next(numbers):020x}"
    return response


async def _version(_: web.Request) -> web.Response:
    text = json.dumps({"version": VERSION}) + "\n"
    return web.Response(text=text, content_type="application/json", charset="utf-8")


async def _metrics(request: web.Request) -> web.Response:
    text = metrics(request.app[_COLLECTION].all())
    return web.Response(text=text, content_type="text/plain", charset="utf-8")


async def _reset(request: web.Request) -> web.Response:
    await request.app[_COLLECTION].reset()
    return web.Response(status=204)


async def _populate(request: web.Request) -> web.Response:
    try:
        done, refusal = await request.app[_COLLECTION].populate(await _body(request))
    except Refusal as unreadable:
        done, refusal = [], unreadable
    shown = {"proxies": [proxy.shown() for proxy in done] or None}
    if refusal is None:
        return _json(shown, 201)
    return _json(refusal.shown() | shown, refusal.status)


async def _list(request: web.Request) -> web.Response:
    return _json({proxy.name: proxy.shown() for proxy in request.app[_COLLECTION].all()})


async def _create(request: web.Request) -> web.Response:
    return _json((await request.app[_COLLECTION].create(await _body(request))).shown(), 201)


async def _show(request: web.Request) -> web.Response:
    return _json(_proxy(request).shown())


async def _update(request: web.Request) -> web.Response:
    _proxy(request)
    proxy = await request.app[_COLLECTION].update(request.match_info["proxy"], await _body(request))
    return _json(proxy.shown())


async def _delete(request: web.Request) -> web.Response:
    await request.app[_COLLECTION].delete(request.match_info["proxy"])
    return web.Response(status=204)


async def _all_touched(request: web.Request) -> web.Response:
    return _json({proxy.name: proxy.touched() for proxy in request.app[_COLLECTION].all()})


async def _touched(request: web.Request) -> web.Response:
    return _json(_proxy(request).touched())


async def _toxics(request: web.Request) -> web.Response:
    return _json(_proxy(request).toxics())


async def _add_toxic(request: web.Request) -> web.Response:
    body = await _body(request)
    return _json(_proxy(request).add(body))


async def _show_toxic(request: web.Request) -> web.Response:
    return _json(_proxy(request).toxic(request.match_info["toxic"]))


async def _change_toxic(request: web.Request) -> web.Response:
    body = await _body(request)
    return _json(_proxy(request).change(request.match_info["toxic"], body))


async def _remove_toxic(request: web.Request) -> web.Response:
    _proxy(request).remove(request.match_info["toxic"])
    return web.Response(status=204)


def _proxy(request: web.Request) -> Proxy:
    return request.app[_COLLECTION].get(request.match_info["proxy"])


def metrics(proxies: list[Proxy]) -> str:
    """The proxies' bytes in the format and under the names of the upstream server's `-proxy-metrics`."""
    lines: list[str] = []
    for verb in ("received", "sent"):
        name = f"toxiproxy_proxy_{verb}_bytes_total"
        lines.append(f"# TYPE {name} counter")
        for proxy in proxies:
            counted = proxy.ledger.received if verb == "received" else proxy.ledger.sent
            for direction, amount in sorted(counted.items()):
                labels = {
                    "direction": direction,
                    "listener": proxy.address,
                    "proxy": proxy.name,
                    "upstream": proxy.upstream,
                }
                told = ",".join(
                    f"{label}={json.dumps(value, ensure_ascii=False)}" for label, value in labels.items()
                )
                lines.append(f"{name}{{{told}}} {amount}")
    return "\n".join(lines) + "\n"


async def _body(request: web.Request) -> object:
    try:
        return msgspec.json.decode(await request.read())
    except web.HTTPRequestEntityTooLarge:
        raise bad_body("too large") from None
    except (ValueError, RecursionError) as error:  # no JSON, no text, or too deep
        raise bad_body("EOF" if not await request.read() else str(error)) from None


def _dumps(document: object) -> str:
    return msgspec.json.encode(document).decode()


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(document), content_type="application/json")
