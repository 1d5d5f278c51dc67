r"""Seals on callbacks: what the platform checks before it believes a byte.

Whoever posts a callback signs `timestamp\nnonce\nbody\n` over the exact bytes sent, as WeChat Pay's
API v3 does, so re-encoding a body breaks the signature. `RsaCheck` is the real thing: RSA with
SHA-256, and the resource under AES-256-GCM. `MacCheck` stands in for it in bulk simulation: a keyed
hash over the same bytes, the resource in clear. The sealing halves belong to the counterparties.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from reference_platform.ports import PaymentNotice, SupplierReply

TIMESTAMP: Final = "X-Pay-Timestamp"
NONCE: Final = "X-Pay-Nonce"
SIGNATURE: Final = "X-Pay-Signature"
SEAL_HEADERS: Final = (TIMESTAMP, NONCE, SIGNATURE)


class Message(NamedTuple):
    """What a callback says once its seal was found intact."""

    notify_id: str
    event: str
    resource: Mapping[str, Any]


class Check(Protocol):
    """Opens a sealed callback."""

    def open(self, headers: Mapping[str, str], raw: bytes) -> Message | None:
        """The message, or None when the seal is not whole: missing, of another key, or over other bytes."""
        ...


class _Clear(msgspec.Struct, gc=False):
    """Envelope with the resource in clear."""

    id: str
    event_type: str
    resource: dict[str, Any]


class SealedResource(msgspec.Struct, gc=False):
    """What only the holder of the resource key can read."""

    algorithm: str
    ciphertext: str
    associated_data: str
    nonce: str


class Sealed(msgspec.Struct, gc=False):
    """Envelope with the resource sealed, as WeChat Pay sends it."""

    id: str
    event_type: str
    resource_type: str
    resource: SealedResource


class _Payment(msgspec.Struct, gc=False):
    """The resource of a payment notice."""

    app_id: str
    charge_no: str
    transaction_id: str
    paid_fen: int
    paid_us: int


class _Attempt(msgspec.Struct, gc=False):
    """The resource of a supplier's callback."""

    attempt_no: str
    status: str
    delivered: int
    cost_fen: int


_decode_clear = msgspec.json.Decoder(_Clear).decode
_decode_sealed = msgspec.json.Decoder(Sealed).decode
_decode_any = msgspec.json.Decoder(dict[str, Any]).decode


def signed_bytes(timestamp: str, nonce: str, raw: bytes) -> bytes:
    """What is signed: the time, the nonce and the body, each on lines of its own."""
    return f"{timestamp}\n{nonce}\n".encode() + raw + b"\n"


class MacCheck:
    """A keyed blake2b over the signed bytes; both sides hold the same key."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = blake2b(key=key, digest_size=16)

    def mac(self, timestamp: str, nonce: str, raw: bytes) -> str:
        """The signature in hexadecimal digits."""
        mac = self._keyed.copy()
        mac.update(signed_bytes(timestamp, nonce, raw))
        return mac.hexdigest()

    def open(self, headers: Mapping[str, str], raw: bytes) -> Message | None:
        claimed = headers.get(SIGNATURE, "").encode()
        expected = self.mac(headers.get(TIMESTAMP, ""), headers.get(NONCE, ""), raw).encode()
        if not hmac.compare_digest(claimed, expected):
            return None
        try:
            body = _decode_clear(raw)
        except (ValueError, RecursionError):  # a msgspec error is a ValueError too
            return None
        return Message(body.id, body.event_type, body.resource)


class RsaCheck:
    """SHA256-RSA over the signed bytes; the resource under AES-256-GCM with the 32 bytes of `api_key`."""

    __slots__ = ("_gcm", "_public")

    def __init__(self, public: RSAPublicKey, api_key: bytes) -> None:
        if len(api_key) != 32:
            raise ValueError(f"the resource key has 32 bytes, not {len(api_key)}")
        self._public = public
        self._gcm = AESGCM(api_key)

    def open(self, headers: Mapping[str, str], raw: bytes) -> Message | None:
        signed = signed_bytes(headers.get(TIMESTAMP, ""), headers.get(NONCE, ""), raw)
        try:
            signature = base64.b64decode(headers.get(SIGNATURE, ""), validate=True)
            self._public.verify(signature, signed, PKCS1v15(), SHA256())
            body = _decode_sealed(raw)
            resource = body.resource
            clear = self._gcm.decrypt(
                resource.nonce.encode(),
                base64.b64decode(resource.ciphertext),
                resource.associated_data.encode(),
            )
            return Message(body.id, body.event_type, _decode_any(clear))
        except (InvalidSignature, InvalidTag, ValueError, RecursionError):
            return None


def payment_notice(message: Message | None) -> PaymentNotice | None:
    """The payment notice in a message. None: there is no message, or it is none of the kind."""
    if message is None:
        return None
    try:
        said = msgspec.convert(message.resource, _Payment)
    except msgspec.ValidationError:
        return None
    return PaymentNotice(
        notify_id=message.notify_id,
        app_id=said.app_id,
        charge_no=said.charge_no,
        transaction_id=said.transaction_id,
        event=message.event,
        paid_fen=said.paid_fen,
        paid_us=said.paid_us,
    )


def attempt_reply(message: Message | None) -> tuple[str, SupplierReply] | None:
    """(attempt number, reply) in a supplier's message. None: there is none, or it is of another kind."""
    if message is None:
        return None
    try:
        said = msgspec.convert(message.resource, _Attempt)
    except msgspec.ValidationError:
        return None
    return said.attempt_no, SupplierReply(said.status, said.delivered, said.cost_fen)
