"""A case as one word that can be pasted, for cases small enough that this makes sense.

`df1.` and the case as data, squeezed. Titles and stories are left at home; what makes the run is all there.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import msgspec
from pydantic import ValidationError

from chaos.replay import Case
from chaos.results import ResultsError
from scenarios.model import Scenario

PREFIX = "df1."
LONGEST = 1_000
"""Characters; a longer word is no longer pasted with pleasure."""

_BIGGEST = 1 << 20


def is_token(text: str) -> bool:
    """Whether this is meant as a self-contained token."""
    return text.startswith(PREFIX)


def encode(case: Case) -> str:
    """The token; empty when it would be too long to paste."""
    name = case.scenario.name
    scenario = case.scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for words in ("title", "story", "expect", "sometimes", "races"):
        scenario.pop(words, None)
    data = {"s": scenario, "n": name, "d": case.design, "x": case.seed, "p": case.plan, "k": case.keep}
    squeezed = zlib.compress(msgspec.json.encode(data), 9)
    token = PREFIX + base64.urlsafe_b64encode(squeezed).decode().rstrip("=")
    return token if len(token) <= LONGEST else ""


def decode(token: str) -> Case:
    """The case of a token. Raises ResultsError."""
    packed = token.strip().removeprefix(PREFIX)
    try:
        squeezed = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        data: dict[str, Any] = msgspec.json.decode(_unsqueezed(squeezed))
        words = {"en": data["n"], "zh": data["n"]}
        scenario = Scenario.model_validate({**data["s"], "title": words, "story": words})
        keep = data["k"]
        return Case(scenario, data["d"], data["x"], data["p"], None if keep is None else tuple(keep))
    except (binascii.Error, zlib.error, msgspec.MsgspecError, KeyError, TypeError, ValidationError) as error:
        raise ResultsError(
            f"{token[:24]}…: a damaged replay token, or one of another version of dingfeng"
        ) from error


def _unsqueezed(squeezed: bytes) -> bytes:
    """What was packed: complete, its checksum right, and no bomb."""
    press = zlib.decompressobj()
    text = press.decompress(squeezed, _BIGGEST)
    if not press.eof:
        raise zlib.error("incomplete")
    return text
