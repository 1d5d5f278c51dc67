"""Who asks: bearer tokens, JSON Web Tokens signed by HS256 with a key that only the shop knows.

Whatever is wrong with a token, the caller hears the same answer; the log hears the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import jwt
from jwt.types import Options
from pydantic import BaseModel, ConfigDict, ValidationError

from reference_platform.api.models import Name
from reference_platform.ports import SECOND

ALGORITHM: Final = "HS256"
STAFF: Final = "staff"
KEY_BYTES_MIN: Final = 32
TOKEN_CHARACTERS_MAX: Final = 4096
TIMELESS: Final[Options] = {
    "require": ["exp", "sub"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}
"""Time is the platform's own, so the library may check everything but the time."""


class Claims(BaseModel):
    """What a token says. `exp` is seconds since the epoch."""

    model_config = ConfigDict(strict=True, frozen=True)

    sub: Name
    exp: int
    role: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end."""

    user: str
    staff: bool


class NotAuthenticated(Exception):
    """The token is missing or not valid. The text is for the log, never for the caller."""


class Tokens:
    """Issues and reads tokens. `now_us` is the platform's clock; ValueError for a key too short to sign with."""

    def __init__(self, key: bytes, now_us: Callable[[], int]) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise ValueError(f"a token key has at least {KEY_BYTES_MIN} bytes, not {len(key)}")
        self._key = key
        self._now_us = now_us

    def issue(self, user: str, lasts_us: int, role: str = "") -> str:
        """A token for `user` that is good for `lasts_us`."""
        expires_s = (self._now_us() + lasts_us) // SECOND
        claims: dict[str, Any] = {"sub": user, "exp": expires_s}
        if role:
            claims["role"] = role
        return jwt.encode(claims, self._key, ALGORITHM)

    def read(self, authorization: str | None) -> Caller:
        """The caller named by an Authorization header; NotAuthenticated otherwise."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated("no bearer token")
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise NotAuthenticated("token too long")
        try:
            said = Claims.model_validate(jwt.decode(token, self._key, [ALGORITHM], options=TIMELESS))
        except jwt.InvalidTokenError as error:
            raise NotAuthenticated(type(error).__name__) from error
        except ValidationError as error:
            raise NotAuthenticated("claims of the wrong shape") from error
        if said.exp * SECOND <= self._now_us():
            raise NotAuthenticated("expired")
        return Caller(said.sub, said.role == STAFF)
