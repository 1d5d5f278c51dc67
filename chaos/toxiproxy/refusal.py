"""What the API answers when it cannot do what was asked: the messages and numbers that clients know."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is answered with `{"error": message, "status": status}`."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status

    def shown(self) -> dict[str, object]:
        return {"error": self.message, "status": self.status}


def bad_body(why: str) -> Refusal:
    return Refusal(f"bad request body: {why}", 400)


def missing_field(what: str) -> Refusal:
    return Refusal(f"missing required field: {what}", 400)


def invalid_stream() -> Refusal:
    return Refusal("stream was invalid, can be either upstream or downstream", 400)


def invalid_type() -> Refusal:
    return Refusal("invalid toxic type", 400)


def no_proxy() -> Refusal:
    return Refusal("proxy not found", 404)


def no_toxic() -> Refusal:
    return Refusal("toxic not found", 404)


def proxy_exists() -> Refusal:
    return Refusal("proxy already exists", 409)


def toxic_exists() -> Refusal:
    return Refusal("toxic already exists", 409)


def cannot_listen(address: str, why: object) -> Refusal:
    return Refusal(f"listen tcp: {address}: {why}", 500)
