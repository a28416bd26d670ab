"""Signed statements: canonical JSON, its hash, and Ed25519 signatures over it. Pure functions."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

GENESIS = "0" * 64


def canonical(values: Mapping[str, Any]) -> str:
    """Return values as JSON with sorted keys and no spaces: one text for one meaning."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(payload: str) -> str:
    """Return the SHA-256 of a payload, in hexadecimal."""
    return hashlib.sha256(payload.encode()).hexdigest()


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """Return the 32 bytes of the public key, in hexadecimal."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def fingerprint(public: str) -> str:
    """Return by what people compare a public key: the SHA-256 of its 32 bytes."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()


def sign(key: Ed25519PrivateKey, payload: str) -> str:
    """Return the signature over a payload; its ``kind`` keeps one kind from passing as another."""
    return key.sign(payload.encode()).hex()


def is_signed_by(public: str, payload: str, signature: str) -> bool:
    """Tell whether a signature over a payload is that of a public key."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), payload.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
