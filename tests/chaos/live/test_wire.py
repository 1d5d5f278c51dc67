"""Actions as HTTP, there and back."""

from __future__ import annotations

import pytest

from chaos.live.wire import ROUTES, action_of, sent
from reference_platform.ports import Request

FIELDS = {"order_id": "O 1/2", "sku": "game-100", "ticket_id": "T{1}"}


@pytest.mark.parametrize("action", ROUTES)
def test_every_request_says_by_its_path_which_action_it_is(action: str) -> None:
    """The balancer names what it passes on as the simulated one does."""
    method, path, _ = sent(Request(action, "u1", FIELDS))
    assert action_of(method, path) == action


def test_a_callback_is_named_after_who_calls_back() -> None:
    """A channel, or a supplier."""
    assert action_of("POST", "/callbacks/wechat") == "callback.wechat"
    assert action_of("POST", "/callbacks/suppliers/alpha") == "callback.supplier.alpha"


def test_what_is_no_action_is_named_by_its_path() -> None:
    """Also by an action's path with another method."""
    assert action_of("GET", "/orders") == "/orders"
    assert action_of("GET", "/nowhere") == "/nowhere"
