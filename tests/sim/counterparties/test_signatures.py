"""One suite over both seals: whatever the platform must check, it must check on either."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from reference_platform.adapters.seals import Check, RsaCheck, attempt_reply, payment_notice
from sim.counterparties.signatures import NONCE, SIGNATURE, TIMESTAMP, MacSeal, Message, RsaSeal, Seal

_KEY = generate_private_key(65537, 2048)
_OTHER_KEY = generate_private_key(65537, 2048)
_API_KEY = b"k" * 32
_MESSAGE = Message("O1/c1.n1", "SUCCESS", {"charge_no": "O1/c1", "paid_fen": 100, "name": "卡"})

PAIRS = [
    pytest.param(MacSeal(b"one"), MacSeal(b"one"), MacSeal(b"two"), id="mac"),
    pytest.param(
        RsaSeal(_KEY, _API_KEY),
        RsaCheck(_KEY.public_key(), _API_KEY),
        RsaCheck(_OTHER_KEY.public_key(), _API_KEY),
        id="rsa",
    ),
]
each_seal = pytest.mark.parametrize(("channel", "platform", "stranger"), PAIRS)


def _sealed(channel: Seal) -> tuple[Mapping[str, str], bytes]:
    return channel.close(_MESSAGE, 1_700_000_000, "n1")


@each_seal
def test_what_was_sealed_is_read_back_whole(channel: Seal, platform: Check, stranger: Check) -> None:
    """Id, event and resource survive, Chinese text included."""
    assert platform.open(*_sealed(channel)) == _MESSAGE


@each_seal
def test_a_changed_byte_of_the_body_breaks_the_seal(channel: Seal, platform: Check, stranger: Check) -> None:
    """The signature is over the real bytes: even white space that JSON does not mind is a change."""
    headers, raw = _sealed(channel)
    assert platform.open(headers, raw + b" ") is None
    assert platform.open(headers, raw.replace(b"SUCCESS", b"SUCCES5")) is None


@each_seal
@pytest.mark.parametrize("name", [TIMESTAMP, NONCE, SIGNATURE])
def test_each_header_is_part_of_the_seal(channel: Seal, platform: Check, stranger: Check, name: str) -> None:
    """A missing or different time, nonce or signature is a broken seal, not an error."""
    headers, raw = _sealed(channel)
    assert platform.open({**headers, name: "1"}, raw) is None
    assert platform.open({key: value for key, value in headers.items() if key != name}, raw) is None


@each_seal
def test_another_key_does_not_open_it(channel: Seal, platform: Check, stranger: Check) -> None:
    """Only the channel's own key counts."""
    assert stranger.open(*_sealed(channel)) is None


@each_seal
def test_the_same_message_seals_to_the_same_bytes(channel: Seal, platform: Check, stranger: Check) -> None:
    """A run replays byte for byte, so sealing may not draw from anywhere."""
    assert _sealed(channel) == _sealed(channel)


@pytest.mark.parametrize("seal", [MacSeal(b"one"), RsaSeal(_KEY, _API_KEY)], ids=["mac", "rsa"])
def test_signed_rubbish_is_not_a_message(seal: MacSeal | RsaSeal) -> None:
    """A valid signature over bytes that are no envelope opens to nothing."""
    headers, _ = seal.close(_MESSAGE, 1, "n")
    for rubbish in (b"", b"{}", b'{"id": 1}', b"\xff\xfe", b'{"id": "\xff"}', b'{"x": ' + b"[" * 3000):
        if isinstance(seal, MacSeal):
            headers = {**headers, SIGNATURE: seal.mac(headers[TIMESTAMP], headers[NONCE], rubbish)}
        assert seal.open(headers, rubbish) is None


def test_the_resource_is_unreadable_on_the_wire_and_needs_its_key() -> None:
    """RSA proves who sent it; AES-GCM keeps the resource from anybody without the 32-byte key."""
    headers, raw = RsaSeal(_KEY, _API_KEY).close(_MESSAGE, 1, "n")
    assert b"paid_fen" not in raw
    assert RsaCheck(_KEY.public_key(), b"x" * 32).open(headers, raw) is None


def test_a_seal_over_another_kind_of_message_is_no_notice() -> None:
    """A valid seal says who speaks; what is said must still be a payment, with every field of its type."""
    payment = {"app_id": "a", "charge_no": "c", "transaction_id": "t", "paid_fen": 1, "paid_us": 2}
    assert payment_notice(Message("n1", "SUCCESS", payment)) is not None
    for field in payment:
        assert payment_notice(Message("n1", "SUCCESS", {**payment, field: None})) is None
    attempt = {"attempt_no": "a", "status": "success", "delivered": 1, "cost_fen": 2}
    assert attempt_reply(Message("n1", "success", attempt)) is not None
    for field in attempt:
        assert attempt_reply(Message("n1", "success", {**attempt, field: ["1"]})) is None


def test_a_short_resource_key_is_refused_at_once() -> None:
    """AES-256 takes 32 bytes; 16 would quietly be AES-128."""
    with pytest.raises(ValueError, match="32 bytes"):
        RsaCheck(_KEY.public_key(), b"k" * 16)
