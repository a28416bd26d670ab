"""What a folder of backups holds: files by the hash of their sealed bytes, and manifests.

files/ab/abcdef…              sealed files, each once, however many backups have it
backups/ID/manifest.json      names, hashes, counts of rows; no content
backups/ID/manifest.mac       HMAC-SHA-256 of the manifest, by a key derived from the vault's
backups/ID/database.sealed    the dump, sealed as files are
backups/ID/keys.json          the keys under a recovery passphrase, if one was given
"""

import base64
import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from vault.exceptions import CopyFailed
from vault.keys import Key, Keyring

FORM: Final = 1
MANIFEST, MAC, DATABASE, KEYS = "manifest.json", "manifest.mac", "database.sealed", "keys.json"
LEAST_PASSPHRASE: Final = 16
UNFINISHED: Final = ".unfinished-"
_PURPOSE: Final = "hematovision backup manifest"
_SCRYPT: Final = {"n": 2**17, "r": 8, "p": 1}
"""128 MB and about half a second for each guess (RFC 7914; OWASP's first choice)."""


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A stored file in a backup: which sealed bytes it is, and which they were in the store."""

    name: str
    blob: str
    stored_size: int
    version: str


@dataclass(slots=True)
class Manifest:
    """What a backup holds, and what the database said of itself at that moment."""

    id: str
    made_at: str
    key_id: str
    audit_head: str
    database_sha256: str = ""
    tables: dict[str, tuple[int, str]] = field(default_factory=dict)
    files: list[CopiedFile] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    form: int = FORM

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        values: dict[str, Any] = json.loads(data)
        values["files"] = [CopiedFile(**file) for file in values["files"]]
        values["tables"] = {name: (row[0], row[1]) for name, row in values["tables"].items()}
        return cls(**values)


class Copies:
    """A folder of backups."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backups, self.files = folder / "backups", folder / "files"

    def ids(self) -> list[str]:
        """The ids of whole backups, oldest first."""
        if not self.backups.is_dir():
            return []
        found = (path.name for path in self.backups.iterdir() if (path / MANIFEST).exists())
        return sorted(name for name in found if not name.startswith(UNFINISHED))

    def blob(self, digest: str) -> Path:
        """Where the sealed bytes with a hash lie."""
        return self.files / digest[:2] / digest

    def read(self, backup_id: str, keys: Keyring) -> Manifest:
        """Return a manifest that the laboratory itself wrote; raises CopyFailed, KeyUnknown."""
        place = self.backups / backup_id
        data, mac = (place / MANIFEST).read_bytes(), (place / MAC).read_text().strip()
        manifest = Manifest.from_bytes(data)
        if manifest.form != FORM:
            raise CopyFailed(
                f"The backup is of form {manifest.form}, which this release can't read."
            )
        key = keys.find(bytes.fromhex(manifest.key_id))
        if manifest.id != backup_id or not hmac.compare_digest(_mac(data, key), mac):
            raise CopyFailed(f"The manifest of {backup_id} was altered.")
        return manifest

    def write(self, place: Path, manifest: Manifest, key: Key) -> None:
        """Write a manifest and its code, and give the backup its name: from now on it is one."""
        data = manifest.to_bytes()
        (place / MANIFEST).write_bytes(data)
        (place / MAC).write_text(_mac(data, key))
        for path in (*place.iterdir(), place):
            flush(path)
        place.rename(self.backups / manifest.id)
        flush(self.backups)

    def begin(self, backup_id: str) -> Path:
        """Return the folder in which a backup is made."""
        place = self.backups / f"{UNFINISHED}{backup_id}"
        place.mkdir(mode=0o700, parents=True)
        return place

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the folder for oneself."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise CopyFailed("Another backup into this folder is being made.") from error
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a laboratory needs besides its database and files to be itself again."""

    keys: Keyring
    secret_key: str
    audit_key: str
    """The PEM text of the key that signs anchors of the audit trail; empty if there is none."""


def read_passphrase(path: Path | None) -> str:
    """Return the passphrase in a file, none for no file; raises CopyFailed if it can't protect."""
    if path is None:
        return ""
    try:
        passphrase = path.read_text().strip()
    except OSError as error:
        raise CopyFailed(f"The passphrase can't be read: {error}") from error
    if len(passphrase) < LEAST_PASSPHRASE:
        raise CopyFailed(f"A recovery passphrase has at least {LEAST_PASSPHRASE} characters.")
    return passphrase


def wrap_keys(known: Secrets, passphrase: str) -> bytes:
    """Return a laboratory's secrets under a passphrase (scrypt, AES-256-GCM)."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    content = {
        "keys": [key.as_text() for key in known.keys.keys],
        "secret_key": known.secret_key,
        "audit_key": known.audit_key,
    }
    plain = json.dumps(content).encode()
    wrapped = AESGCM(_stretched(passphrase, salt)).encrypt(nonce, plain, salt)
    parts = {"salt": salt, "nonce": nonce, "wrapped": wrapped}
    texts = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    return json.dumps(texts).encode()


def unwrap_keys(data: bytes, passphrase: str) -> Secrets:
    """Return the secrets of a bundle; raises CopyFailed if the passphrase is not its."""
    salt, nonce, wrapped = (
        base64.b64decode(json.loads(data)[name]) for name in ("salt", "nonce", "wrapped")
    )
    try:
        content = json.loads(AESGCM(_stretched(passphrase, salt)).decrypt(nonce, wrapped, salt))
    except InvalidTag as error:
        raise CopyFailed("The passphrase is not that of this backup's keys.") from error
    keys = Keyring(tuple(Key.from_text(text) for text in content["keys"]))
    return Secrets(keys, content["secret_key"], content["audit_key"])


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mac(data: bytes, key: Key) -> str:
    return hmac.new(key.derive(_PURPOSE), data, hashlib.sha256).hexdigest()


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode())
