"""How a part says no, and how every answer is shaped.

4xx is a promise that nothing happened; 5xx says try again, perhaps something did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference_platform.ports import Response

TERMINAL_ACK = Response(200, {"code": "SUCCESS"}, b"success")


class Refused(Exception):
    """The request is refused and had no effect (4xx), or cannot be served now (503)."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code


def ok(body: Mapping[str, Any]) -> Response:
    """The request was served."""
    return Response(200, body)


def refusal(status: int, code: str) -> Response:
    """An answer without success; `fail` is what Alipay-type channels expect in the body."""
    return Response(status, {"error": code}, b"fail")
