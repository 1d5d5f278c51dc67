"""What people ask of the platform, as HTTP: method, path and body of each action, and who is asking.

`reference_platform.api` serves these routes. A platform of your own is reached by another table like this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import jwt

from reference_platform.ports import DAY, SECOND, Request
from sim.clock import EPOCH_US

STAFF: Final = "staff"
LASTS_US: Final = 400 * DAY
"""How long a token is good for, from the start of a run by the platform's clock: longer than any run."""


class Route(NamedTuple):
    """`path` takes fields of the request's body; what it does not take is sent as JSON."""

    method: str
    path: str


ROUTES: Final[Mapping[str, Route]] = {
    "place_order": Route("POST", "/orders"),
    "new_charge": Route("POST", "/orders/{order_id}/charges"),
    "view_order": Route("GET", "/orders/{order_id}"),
    "view_wallet": Route("GET", "/wallet"),
    "view_membership": Route("GET", "/membership"),
    "view_product": Route("GET", "/products/{sku}"),
    "request_refund": Route("POST", "/orders/{order_id}/refund"),
    "admin.tickets": Route("GET", "/admin/tickets"),
    "admin.resolve_ticket": Route("POST", "/admin/tickets/{ticket_id}/resolve"),
}


_PATTERNS: Final = tuple(
    (route.method, re.compile(re.sub(r"{\w+}", "[^/]+", route.path)), action)
    for action, route in ROUTES.items()
)
_CALLBACKS: Final = "/callbacks/"


def action_of(method: str, path: str) -> str:
    """The action that a request asks for, by its path as it was sent; the path itself when there is none."""
    if path.startswith(_CALLBACKS):
        return f"callback.{path.removeprefix(_CALLBACKS).replace('suppliers/', 'supplier.', 1)}"
    known = (action for verb, like, action in _PATTERNS if verb == method and like.fullmatch(path))
    return next(known, path)


class Sent(NamedTuple):
    """One request, ready to be sent."""

    method: str
    path: str
    body: Mapping[str, Any]


def sent(request: Request) -> Sent:
    """The HTTP request of an action."""
    method, path = ROUTES[request.action]
    fields = {name: quote(str(value), safe="") for name, value in request.body.items()}
    body = {name: value for name, value in request.body.items() if f"{{{name}}}" not in path}
    return Sent(method, path.format_map(fields), body)


class Passes:
    """The bearer tokens of members and staff, signed with the platform's key."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._tokens: dict[str, str] = {}

    def of(self, user: str) -> str:
        """The `Authorization` header of this user."""
        token = self._tokens.get(user)
        if token is None:
            claims: dict[str, Any] = {"sub": user, "exp": (EPOCH_US + LASTS_US) // SECOND}
            if user == STAFF:
                claims["role"] = STAFF
            token = self._tokens[user] = f"Bearer {jwt.encode(claims, self._key, algorithm='HS256')}"
        return token
