"""Reading every stored file, and comparing it with what the database says of it."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from django.apps import apps
from django.db import models, transaction

from accounts.audit import record
from accounts.models import User
from vault.exceptions import Damaged, KeyUnknown
from vault.keys import load_keyring
from vault.models import StoredFile
from vault.reading import SealedReader
from vault.sealing import HEADER_BYTES, is_sealed
from vault.storage import open_stored
from vault.stores import Store, the_store

_AT_ONCE: Final = 1024 * 1024
_ROWS: Final = 500
MOST_NAMED: Final = 1000
"""Files of one kind that are named; the number of all is told in any case."""

MISSING: Final = "missing"
DAMAGED: Final = "damaged"
LOCKED: Final = "without a key"
FOREIGN: Final = "foreign"
PLAIN: Final = "not sealed yet"
LINGERING: Final = "disposed of and still there"
UNSOUND: Final = (MISSING, DAMAGED, LOCKED)

MEANINGS: Final = {
    MISSING: "the database knows it, and the store has it not",
    DAMAGED: "it is not what was stored: altered, cut off, or another file",
    LOCKED: "it was sealed with a key that this laboratory lacks",
    FOREIGN: "the store has it, and the database does not know it",
    LINGERING: "it is to be erased; a worker that goes on with the disposal does so",
    PLAIN: "it is from before files were sealed; `manage.py rotate_keys` seals it",
}


@dataclass(slots=True)
class Checked:
    """What was found: how many files were read, and names by what is wrong with them."""

    files: int = 0
    bytes: int = 0
    disposed: int = 0
    found: dict[str, list[str]] = field(default_factory=dict)

    def add_disposed(self, row: StoredFile, store: Store) -> None:
        """Note a file that was disposed of, and whether it is gone."""
        self.disposed += 1
        if store.find(row.name) is not None:
            self.add(LINGERING, row.name)

    def add(self, kind: str, name: str) -> None:
        """Note a file."""
        self.found.setdefault(kind, []).append(name)

    @property
    def is_sound(self) -> bool:
        """Whether all is there, whole, and can be read; what lies about besides harms nobody."""
        return not any(self.found.get(kind) for kind in UNSOUND)

    def counts(self) -> dict[str, int]:
        """How many files of each kind were found."""
        return {kind: len(names) for kind, names in self.found.items()}


def check_files(*, progress: Callable[[Checked], None]) -> Checked:
    """Read every file to its end, verify each chunk and its SHA-256, and look for strays."""
    checked, store, known = Checked(), the_store(), set()
    for row in StoredFile.objects.order_by("name").iterator(_ROWS):
        known.add(row.name)
        if row.disposed_at is not None:
            checked.add_disposed(row, store)
            continue
        problem = _problem_of(store, row)
        # It may have been removed, or disposed of, since the list was read.
        if problem and StoredFile.objects.kept().filter(pk=row.pk).exists():
            checked.add(problem, row.name)
        checked.files += 1
        checked.bytes += row.size
        progress(checked)
    for name in _strays(store, known):
        checked.add(_kind_of_stray(store, name), name)
    for name in names_in_rows() - known:
        if store.find(name) is None:
            checked.add(MISSING, name)
    _note(checked)
    return checked


def _problem_of(store: Store, row: StoredFile) -> str:
    try:
        digest, size = hashlib.sha256(), 0
        with open_stored(store, row.name, load_keyring) as file:
            _note_key(row, file)
            while block := file.read(_AT_ONCE):
                digest.update(block)
                size += len(block)
    except FileNotFoundError:
        return MISSING
    except KeyUnknown:
        return LOCKED
    except Damaged:
        return DAMAGED
    return "" if (digest.hexdigest(), size) == (row.sha256, row.size) else DAMAGED


def _note_key(row: StoredFile, file: BinaryIO) -> None:
    """Have the row say which key the file is under, where it doesn't yet."""
    raw = getattr(file, "raw", None)
    if isinstance(raw, SealedReader) and raw.key_id != row.key_id:
        StoredFile.objects.filter(pk=row.pk).update(key_id=raw.key_id)


def _strays(store: Store, known: set[str]) -> list[str]:
    """Names in the store that were on the list neither when it was read nor are now."""
    unknown = [entry.name for entry in store.walk() if entry.name not in known]
    listed = set(StoredFile.objects.filter(pk__in=unknown).values_list("name", flat=True))
    return [name for name in unknown if name not in listed]


def _kind_of_stray(store: Store, name: str) -> str:
    try:
        source = store.open(name)
    except FileNotFoundError:
        return FOREIGN
    try:
        return FOREIGN if is_sealed(source.read_at(0, HEADER_BYTES)) else PLAIN
    finally:
        source.close()


def names_in_rows() -> set[str]:
    """All names of files that rows of any table lead to."""
    return {name for values in _columns_of_files() for name in values if name}


def _columns_of_files() -> Iterator[models.QuerySet]:
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, models.FileField):
                yield model._default_manager.values_list(column.name, flat=True)


@transaction.atomic
def _note(checked: Checked) -> None:
    after = {
        "files": checked.files,
        "bytes": checked.bytes,
        **checked.counts(),
        **({"disposed": checked.disposed} if checked.disposed else {}),
    }
    record(actor=User.system(), action="vault.checked", target=None, after=after)
    if not checked.is_sound:
        wrong = {kind: count for kind, count in checked.counts().items() if kind in UNSOUND}
        record(actor=User.system(), action="vault.unsound", target=None, after=wrong)
