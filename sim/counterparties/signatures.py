r"""Sealing callbacks, as counterparties do; `reference_platform.adapters.seals` is how they are opened.

`RsaSeal` is the real thing: RSA with SHA-256 over the exact bytes sent, and the resource sealed by
AES-256-GCM under a 32-byte key. `MacSeal` stands in for it in bulk simulation: a keyed hash over the
same bytes, the resource in clear, at a hundredth of the price.
"""

from __future__ import annotations

import base64
from hashlib import blake2b
from typing import Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from reference_platform.adapters.seals import (
    NONCE,
    SIGNATURE,
    TIMESTAMP,
    Check,
    MacCheck,
    Message,
    RsaCheck,
    Sealed,
    SealedResource,
    signed_bytes,
)

__all__ = ["NONCE", "SIGNATURE", "TIMESTAMP", "MacSeal", "Message", "RsaSeal", "Seal"]

_encode = msgspec.json.Encoder().encode


class Seal(Check, Protocol):
    """Seals a callback, and opens one."""

    def close(self, message: Message, timestamp_s: int, nonce: str) -> tuple[dict[str, str], bytes]:
        """Headers and the exact bytes to send."""
        ...


class MacSeal(MacCheck):
    """A keyed blake2b over the signed bytes; both sides hold the same key."""

    __slots__ = ()

    def close(self, message: Message, timestamp_s: int, nonce: str) -> tuple[dict[str, str], bytes]:
        raw = _encode({"id": message[0], "event_type": message[1], "resource": message[2]})
        timestamp = str(timestamp_s)
        return {TIMESTAMP: timestamp, NONCE: nonce, SIGNATURE: self.mac(timestamp, nonce, raw)}, raw


class RsaSeal(RsaCheck):
    """SHA256-RSA over the signed bytes; the resource under AES-256-GCM. Counterparties hold the private key."""

    __slots__ = ("_api_key", "_cipher", "_private")

    def __init__(self, private: RSAPrivateKey, api_key: bytes) -> None:
        super().__init__(private.public_key(), api_key)
        self._private = private
        self._api_key = api_key
        self._cipher = AESGCM(api_key)

    def close(self, message: Message, timestamp_s: int, nonce: str) -> tuple[dict[str, str], bytes]:
        timestamp = str(timestamp_s)
        # One GCM nonce a message: the id, time and nonce of a delivery never repeat together.
        seed = f"{message.notify_id}\n{timestamp}\n{nonce}".encode()
        drawn = blake2b(seed, key=self._api_key, digest_size=9).digest()
        gcm_nonce = base64.b64encode(drawn).decode()  # 12 characters, as WeChat Pay sends them
        sealed = self._cipher.encrypt(gcm_nonce.encode(), _encode(message.resource), message.event.encode())
        resource = SealedResource(
            "AEAD_AES_256_GCM", base64.b64encode(sealed).decode(), message.event, gcm_nonce
        )
        raw = _encode(Sealed(message.notify_id, message.event, "encrypt-resource", resource))
        signature = self._private.sign(signed_bytes(timestamp, nonce, raw), PKCS1v15(), SHA256())
        return {TIMESTAMP: timestamp, NONCE: nonce, SIGNATURE: base64.b64encode(signature).decode()}, raw
