"""What names a release and the code that made it: hashes over files, whatever the machine."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ml.artifacts import SPEC_NAME, sha256_of
from ml.errors import ArtifactError

MANIFEST_NAME: Final = "files.json"
PACKAGE: Final = Path(__file__).resolve().parent


def manifest_of(release_dir: Path) -> dict[str, str]:
    """Name and hex SHA-256 of every file of a release; ArtifactError if it has no spec."""
    files = sorted(path for path in release_dir.iterdir() if path.is_file())
    found = {path.name: sha256_of(path) for path in files if path.name != MANIFEST_NAME}
    if SPEC_NAME not in found:
        raise ArtifactError(f"No model release in {release_dir}: it has no {SPEC_NAME}.")
    return found


def as_text(manifest: Mapping[str, str]) -> str:
    """The manifest as it is hashed and stored: JSON with sorted keys."""
    return json.dumps(dict(manifest), sort_keys=True, indent=1)


def digest_of(manifest: Mapping[str, str]) -> str:
    """Hex SHA-256 of the manifest: names a release with its spec, card and serving form.

    The hash of the weights alone would not do: the same weights may be served and referred anew.
    """
    return hashlib.sha256(as_text(manifest).encode()).hexdigest()


def check_files(release_dir: Path, manifest: Mapping[str, str]) -> None:
    """Raise ArtifactError unless the folder holds every file of a manifest, byte for byte."""
    for name, sha256 in manifest.items():
        path = release_dir / name
        if not path.is_file() or sha256_of(path) != sha256:
            raise ArtifactError(f"{path} is not the file that was registered.")


def code_fingerprint() -> dict[str, str]:
    """What made a release: SHA-256 over the package's modules, and the commit where git knows it.

    The hash is over the sorted relative names and hashes of all Python files of `ml`.
    """
    lines = [
        f"{path.relative_to(PACKAGE).as_posix()}\t{sha256_of(path)}"
        for path in sorted(PACKAGE.rglob("*.py"))
    ]
    code = {"sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}
    commit = _commit()
    return {**code, "commit": commit} if commit else code


def _commit() -> str:
    """The commit of the checkout, "" outside of one."""
    git = shutil.which("git")
    if git is None:
        return ""
    told = subprocess.run(
        [git, "rev-parse", "HEAD"], cwd=PACKAGE, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() if told.returncode == 0 else ""
