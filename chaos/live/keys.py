"""The keys of one run: each counterparty's own, what the platform needs of them, and that of the tokens.

Made at the start of a run and handed out in the processes' settings; nobody but the counterparty has its
private key, so what the platform believes was really signed by it. RSA and AES-256-GCM, as WeChat Pay
has it.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from reference_platform.adapters.seals import RsaCheck
from sim.counterparties.signatures import RsaSeal

_BITS = 2048


class _Pair(msgspec.Struct):
    """One half of an RSA key as PEM, and the key of the resource in base64."""

    pem: str
    resource: str


@dataclass(frozen=True, slots=True)
class Keys:
    """`sealing` and `opening` by counterparty, as text for settings; `tokens` signs members' tokens."""

    sealing: dict[str, str]
    opening: dict[str, str]
    tokens: str


def make(counterparties: Iterable[str]) -> Keys:
    """New keys, about a tenth of a second each."""
    sealing, opening = {}, {}
    for name in counterparties:
        private = generate_private_key(65537, _BITS)
        resource = base64.b64encode(secrets.token_bytes(32)).decode()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        sealing[name] = msgspec.json.encode(_Pair(pem.decode(), resource)).decode()
        opening[name] = msgspec.json.encode(_Pair(public.decode(), resource)).decode()
    return Keys(sealing, opening, secrets.token_hex(32))


def seal(key: str) -> RsaSeal:
    """A counterparty's seal."""
    pair = msgspec.json.decode(key, type=_Pair)
    private = load_pem_private_key(pair.pem.encode(), None)
    assert isinstance(private, RSAPrivateKey)
    return RsaSeal(private, base64.b64decode(pair.resource))


def check(key: str) -> RsaCheck:
    """What opens it."""
    pair = msgspec.json.decode(key, type=_Pair)
    public = load_pem_public_key(pair.pem.encode())
    assert isinstance(public, RSAPublicKey)
    return RsaCheck(public, base64.b64decode(pair.resource))
