"""The audit's private key: in a file of its own, never in the database; made, read, followed."""

import os
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.anchoring.models import AuditKey
from accounts.anchoring.statements import canonical, fingerprint, public_text, sign
from accounts.models import User

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('accounts_auditanchor'))"


class KeyRefused(Exception):
    """The private key can't be read, or is not the one that the laboratory signs with now."""


def lock_anchoring() -> None:
    """Wait until nobody else makes keys or anchors; held to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)


@transaction.atomic
def current_key() -> tuple[AuditKey, Ed25519PrivateKey]:
    """Return the key to sign with, made on first use where no file was given.

    Refuses a key other than the newest that the laboratory knows: a key changes by rotation
    alone, signed by the one before.
    """
    lock_anchoring()
    newest = AuditKey.objects.order_by("-number").first()
    private = _first_key() if newest is None else read_key(settings.AUDIT_KEY_FILE)
    if newest is None:
        return _note(private, signer=private, before=None), private
    if newest.fingerprint != fingerprint(public_text(private)):
        raise KeyRefused(
            f"The key in {settings.AUDIT_KEY_FILE} is not the laboratory's audit key "
            f"{newest.number}. Put that key back, or change keys with rotate_audit_key."
        )
    return newest, private


@transaction.atomic
def rotate_key(*, actor: User, given: Path | None = None) -> AuditKey:
    """Follow the current key by a new one that it signs; old public keys stay known.

    The new key is made in the current one's place, unless it is ``given`` in another file,
    to which AUDIT_KEY_FILE must then be set.
    """
    newest, private = current_key()
    successor = read_key(given) if given else Ed25519PrivateKey.generate()
    if public_text(successor) == public_text(private):
        raise KeyRefused("The new key is the one in use already.")
    row = _note(successor, signer=private, before=newest)
    after = {"number": row.number, "fingerprint": row.fingerprint}
    audit.record(actor=actor, action="audit.key_rotated", target=None, after=after)
    if given is None:
        _write(successor, settings.AUDIT_KEY_FILE)
    return row


def read_key(path: Path) -> Ed25519PrivateKey:
    """Return the Ed25519 key of a PEM file; refuses a file that others can read."""
    try:
        if path.stat().st_mode & 0o077:
            raise KeyRefused(f"{path} can be read by others; it must be its owner's alone (0600).")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyRefused(f"The audit key {path} can't be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(f"{path} holds no Ed25519 key.")
    return key


def _first_key() -> Ed25519PrivateKey:
    """Return the given key, or make one in the var folder; nothing else is made up."""
    path = settings.AUDIT_KEY_FILE
    if path.exists() or not path.is_relative_to(settings.VAR_DIR):
        return read_key(path)
    key = Ed25519PrivateKey.generate()
    _write(key, path)
    return key


def _write(key: Ed25519PrivateKey, path: Path) -> None:
    """Put a key in a file of its owner's alone, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pending = path.with_suffix(".new")
    pending.unlink(missing_ok=True)
    descriptor = os.open(pending, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    pending.replace(path)


def _note(
    key: Ed25519PrivateKey, *, signer: Ed25519PrivateKey, before: AuditKey | None
) -> AuditKey:
    """Keep a public key, signed by the key before it; the first one by itself."""
    made_at: datetime = timezone.now()
    public = public_text(key)
    number = before.number + 1 if before else 1
    payload = canonical(
        {
            "kind": "key",
            "number": number,
            "public_key": public,
            "made_at": made_at.isoformat(timespec="microseconds"),
            "previous": before.fingerprint if before else None,
        }
    )
    return AuditKey.objects.create(
        number=number,
        fingerprint=fingerprint(public),
        payload=payload,
        signature=sign(signer, payload),
        made_at=made_at,
    )
