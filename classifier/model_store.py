"""Where registered releases are kept: in the laboratory's storage, named by what they hold.

A release lies under the SHA-256 of its list of files, which names each file's own. Workers copy it
once to their disk and check every byte before they load it.
"""

import json
import shutil
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from ml.errors import ArtifactError
from ml.fingerprints import MANIFEST_NAME, as_text, check_files, digest_of, manifest_of

ROOM = "models"


def keep(release_dir: Path) -> str:
    """Store a release's files and return its digest; what is there already is left alone."""
    manifest = manifest_of(release_dir)
    digest = digest_of(manifest)
    for name in manifest:
        _save(f"{ROOM}/{digest}/{name}", release_dir / name)
    listed = f"{ROOM}/{digest}/{MANIFEST_NAME}"
    if not default_storage.exists(listed):  # last: whoever finds it finds all the others
        default_storage.save(listed, ContentFile(as_text(manifest).encode()))
    return digest


def fetch(digest: str) -> Path:
    """Return a folder on this machine with the release of a digest, every byte of it checked.

    Raises:
        ArtifactError: nothing is stored under the digest, or it isn't what it was.
    """
    folder = Path(settings.MODEL_CACHE_DIR) / digest
    try:
        manifest = _manifest(digest)
        if not folder.is_dir():
            _copy(digest, manifest, folder)
    except OSError as error:
        raise ArtifactError(f"The release {digest[:12]} is not in the store: {error}.") from error
    check_files(folder, manifest)
    return folder


def read_text(digest: str, name: str) -> str:
    """Return a stored file of a release as text, "" if it has none; for pages."""
    path = f"{ROOM}/{digest}/{name}"
    if not default_storage.exists(path):
        return ""
    with default_storage.open(path, "rb") as stream:
        return str(stream.read().decode(errors="replace"))


def _save(path: str, source: Path) -> None:
    if default_storage.exists(path):
        return
    with source.open("rb") as stream:
        default_storage.save(path, File(stream))


def _manifest(digest: str) -> dict[str, str]:
    """The list of a release's files, if it is the one that the digest names."""
    with default_storage.open(f"{ROOM}/{digest}/{MANIFEST_NAME}", "rb") as stream:
        try:
            manifest: dict[str, str] = json.loads(stream.read())
        except ValueError as error:
            raise ArtifactError(f"The list of files of {digest[:12]} is damaged.") from error
    if digest_of(manifest) != digest:
        raise ArtifactError(f"The list of files of {digest[:12]} is not the registered one.")
    return manifest


def _copy(digest: str, manifest: dict[str, str], folder: Path) -> None:
    """Fill the folder whole or not at all; two workers may try at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".fetching-", dir=folder.parent))
    try:
        for name in manifest:
            with (
                default_storage.open(f"{ROOM}/{digest}/{name}", "rb") as source,
                (part / name).open("wb") as target,
            ):
                shutil.copyfileobj(source, target)
        check_files(part, manifest)
        if not folder.is_dir():
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
