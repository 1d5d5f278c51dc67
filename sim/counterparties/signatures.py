r"""Seals on callbacks: what the platform checks before it believes a byte.

Both seals sign `timestamp\nnonce\nbody\n` over the exact bytes sent, as WeChat Pay's API v3 does,
so re-encoding a body breaks the signature. `RsaSeal` is the real thing: RSA with SHA-256, and the
resource sealed by AES-256-GCM under a 32-byte key. `MacSeal` stands in for it in bulk simulation:
a keyed hash over the same bytes, the resource in clear, at a hundredth of the price.
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
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

TIMESTAMP: Final = "X-Pay-Timestamp"
NONCE: Final = "X-Pay-Nonce"
SIGNATURE: Final = "X-Pay-Signature"

_encode = msgspec.json.Encoder().encode


class Message(NamedTuple):
    """What a callback says once its seal was found intact."""

    notify_id: str
    event: str
    resource: Mapping[str, Any]


class Seal(Protocol):
    """Seals a callback, and opens one."""

    def close(self, message: Message, timestamp_s: int, nonce: str) -> tuple[dict[str, str], bytes]:
        """Headers and the exact bytes to send."""
        ...

    def open(self, headers: Mapping[str, str], raw: bytes) -> Message | None:
        """The message, or None when the seal is not whole: missing, of another key, or over other bytes."""
        ...


class _Clear(msgspec.Struct, gc=False):
    """Envelope with the resource in clear."""

    id: str
    event_type: str
    resource: dict[str, Any]


class _SealedResource(msgspec.Struct, gc=False):
    algorithm: str
    ciphertext: str
    associated_data: str
    nonce: str


class _Sealed(msgspec.Struct, gc=False):
    """Envelope with the resource sealed, as WeChat Pay sends it."""

    id: str
    event_type: str
    resource_type: str
    resource: _SealedResource


_decode_clear = msgspec.json.Decoder(_Clear).decode
_decode_sealed = msgspec.json.Decoder(_Sealed).decode
_decode_any = msgspec.json.Decoder(dict[str, Any]).decode


def _signed_bytes(timestamp: str, nonce: str, raw: bytes) -> bytes:
    return f"{timestamp}\n{nonce}\n".encode() + raw + b"\n"


class MacSeal:
    """A keyed blake2b over the signed bytes; both sides hold the same key."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = blake2b(key=key, digest_size=16)

    def _mac(self, timestamp: str, nonce: str, raw: bytes) -> str:
        mac = self._keyed.copy()
        mac.update(_signed_bytes(timestamp, nonce, raw))
        return mac.hexdigest()

    def close(self, message: Message, timestamp_s: int, nonce: str) -> tuple[dict[str, str], bytes]:
        raw = _encode({"id": message[0], "event_type": message[1], "resource": message[2]})
        timestamp = str(timestamp_s)
        return {TIMESTAMP: timestamp, NONCE: nonce, SIGNATURE: self._mac(timestamp, nonce, raw)}, raw

    def open(self, headers: Mapping[str, str], raw: bytes) -> Message | None:
        claimed = headers.get(SIGNATURE, "").encode()
        expected = self._mac(headers.get(TIMESTAMP, ""), headers.get(NONCE, ""), raw).encode()
        if not hmac.compare_digest(claimed, expected):
            return None
        try:
            body = _decode_clear(raw)
        except msgspec.MsgspecError:
            return None
        return Message(body.id, body.event_type, body.resource)


class RsaSeal:
    """SHA256-RSA over the signed bytes; the resource under AES-256-GCM.

    The counterparty holds the private key; the platform needs only the public one and `api_key`.
    """

    __slots__ = ("_api_key", "_gcm", "_private", "_public")

    def __init__(self, public: RSAPublicKey, api_key: bytes, private: RSAPrivateKey | None = None) -> None:
        if len(api_key) != 32:
            raise ValueError(f"the resource key has 32 bytes, not {len(api_key)}")
        self._public = public
        self._private = private
        self._api_key = api_key
        self._gcm = AESGCM(api_key)

    def close(self, message: Message, timestamp_s: int, nonce: str) -> tuple[dict[str, str], bytes]:
        if self._private is None:
            raise ValueError("only the holder of the private key can seal")
        timestamp = str(timestamp_s)
        # One GCM nonce a message: the id, time and nonce of a delivery never repeat together.
        seed = f"{message.notify_id}\n{timestamp}\n{nonce}".encode()
        drawn = blake2b(seed, key=self._api_key, digest_size=9).digest()
        gcm_nonce = base64.b64encode(drawn).decode()  # 12 characters, as WeChat Pay sends them
        sealed = self._gcm.encrypt(gcm_nonce.encode(), _encode(message.resource), message.event.encode())
        resource = _SealedResource(
            "AEAD_AES_256_GCM", base64.b64encode(sealed).decode(), message.event, gcm_nonce
        )
        raw = _encode(_Sealed(message.notify_id, message.event, "encrypt-resource", resource))
        signature = self._private.sign(_signed_bytes(timestamp, nonce, raw), PKCS1v15(), SHA256())
        return {TIMESTAMP: timestamp, NONCE: nonce, SIGNATURE: base64.b64encode(signature).decode()}, raw

    def open(self, headers: Mapping[str, str], raw: bytes) -> Message | None:
        signed = _signed_bytes(headers.get(TIMESTAMP, ""), headers.get(NONCE, ""), raw)
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
        except (InvalidSignature, InvalidTag, ValueError):  # a msgspec error is a ValueError too
            return None
