"""What can go wrong with stored files, in words for whoever has to act."""


class VaultError(OSError):
    """A stored file can't be had; an OSError, since to its reader the storage failed."""


class Damaged(VaultError):
    """A file is not what was stored under its name: altered, cut off, or another one's."""


class KeyUnknown(VaultError):
    """A file was sealed with a key that this laboratory does not have."""


class KeysUnusable(VaultError):
    """The keys can't be read, or are none."""


class StoreAway(VaultError):
    """The object store does not answer, or refuses us."""


class Disposed(VaultError):
    """A file was disposed of, when and why the message says; it never comes back."""


class CopyFailed(Exception):
    """A backup or a restoration can't be done, or did not come out right."""


class WorkRefused(Exception):
    """Work on copies or keys that can't be asked for; the message says why."""
