"""The laboratory's keys: one for what is stored from now on, others that still open what is."""

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from vault.exceptions import KeysUnusable, KeyUnknown

KEY_BYTES: Final = 32
_ABOUT: Final = (
    "# Keys of this laboratory's stored images and documents. The first is used for new files.\n"
    "# Who loses this file loses every image; who has it and the files can read them all.\n"
)


@dataclass(frozen=True, slots=True)
class Key:
    """A key that wraps the keys of files; its id says nothing of it."""

    secret: bytes

    @property
    def id(self) -> bytes:
        """Eight bytes by which files name the key that they need."""
        return hashlib.sha256(b"hematovision key id\0" + self.secret).digest()[:8]

    @property
    def name(self) -> str:
        """The id as people and logs have it."""
        return self.id.hex()

    def derive(self, purpose: str) -> bytes:
        """Return a key for another purpose, from which this one can't be told (HKDF)."""
        return HKDF(hashes.SHA256(), KEY_BYTES, None, purpose.encode()).derive(self.secret)

    def as_text(self) -> str:
        """The key as key files have it."""
        return base64.b64encode(self.secret).decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a key: 32 bytes in base64. The complaint does not repeat it."""
        try:
            secret = base64.b64decode(text.strip(), validate=True)
        except ValueError as error:
            raise KeysUnusable("A key of the vault is not valid base64.") from error
        if len(secret) != KEY_BYTES:
            raise KeysUnusable(f"A key of the vault has {len(secret)} bytes instead of 32.")
        return cls(secret)

    @classmethod
    def make(cls) -> Self:
        """Make a new key."""
        return cls(secrets.token_bytes(KEY_BYTES))


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys that the laboratory has, the one for new files first."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The key for new files."""
        return self.keys[0]

    def find(self, key_id: bytes) -> Key:
        """Return the key with this id, looking at the key file anew if it is not known here."""
        for ring in (lambda: self, load_keyring):
            for key in ring().keys:
                if key.id == key_id:
                    return key
        raise KeyUnknown(f"The file needs the key {key_id.hex()}, which this laboratory lacks.")


def load_keyring() -> Keyring:
    """Return the keys of the environment, else those of the key file as it is now.

    Raises:
        KeysUnusable: there are none, or they can't be read.
    """
    if settings.VAULT_KEYS:
        return _parsed(tuple(settings.VAULT_KEYS))
    path = Path(settings.VAULT_KEY_FILE)
    try:
        found = path.stat()
        return _from_file(path, found.st_mtime_ns, found.st_ino)
    except FileNotFoundError as error:
        raise KeysUnusable(
            f"The key file {path} is gone. Put it back: without it no stored image can be read."
        ) from error
    except PermissionError as error:
        raise KeysUnusable(f"The key file {path} can't be read by this process.") from error


def are_in_file() -> bool:
    """Whether keys come from the key file, where a new one can be added."""
    return not settings.VAULT_KEYS


def has_keys() -> bool:
    """Whether keys were given or made."""
    return bool(settings.VAULT_KEYS) or Path(settings.VAULT_KEY_FILE).exists()


def add_key(key: Key) -> None:
    """Put a key first in the key file, which is made if there is none; readers see old or new."""
    path = Path(settings.VAULT_KEY_FILE)
    former = load_keyring().keys if path.exists() else ()
    if key in former:
        former = tuple(other for other in former if other != key)
    write_key_file(path, (key, *former))


def write_key_file(path: Path, keys: tuple[Key, ...]) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as target:
        target.write(_ABOUT + "".join(f"{key.as_text()}\n" for key in keys))
        target.flush()
        os.fsync(target.fileno())
    unfinished.replace(path)


@lru_cache(maxsize=4)
def _from_file(path: Path, _modified: int, _inode: int) -> Keyring:
    lines = path.read_text().splitlines()
    return _parsed(tuple(line for line in lines if line.strip() and not line.startswith("#")))


@lru_cache(maxsize=4)
def _parsed(texts: tuple[str, ...]) -> Keyring:
    if not texts:
        raise KeysUnusable("The key file holds no key.")
    return Keyring(tuple(Key.from_text(text) for text in texts))
