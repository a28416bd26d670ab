"""The file that serves a release, and the note that ties it to the released weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ml.errors import ArtifactError

SERVED_NAME: Final = "model.tflite"
FORM_NAME: Final = "serving.json"


@dataclass(frozen=True, slots=True)
class ServingForm:
    """SHA-256 of the released weights and of the files that were made from them.

    `head_sha256` is that of head.npz, by which predictions are explained; None if there is none.
    """

    weights_sha256: str
    sha256: str
    head_sha256: str | None = None


def write_form(release_dir: Path, form: ServingForm) -> None:
    """Write serving.json beside the file it describes."""
    text = json.dumps(asdict(form), indent=2)
    (release_dir / FORM_NAME).write_text(text + "\n", encoding="utf-8")


def read_served(release_dir: Path, weights_sha256: str) -> bytes:
    """The bytes of the LiteRT file, if they are those made from the weights of this hash.

    Raises ArtifactError if the release has no serving form, or one of other bytes or weights.
    """
    form = read_form(release_dir)
    path = release_dir / SERVED_NAME
    try:
        served = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}.") from error
    found = hashlib.sha256(served).hexdigest()
    if found != form.sha256:
        raise ArtifactError(
            f"{path} is not the released model: SHA-256 {found}, but {FORM_NAME} names "
            f"{form.sha256}."
        )
    if form.weights_sha256 != weights_sha256:
        raise ArtifactError(f"{path} was made from other weights; run `python -m ml export`.")
    return served


def read_form(release_dir: Path) -> ServingForm:
    """Read serving.json; raises ArtifactError if it is missing or malformed."""
    path = release_dir / FORM_NAME
    try:
        return ServingForm(**json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ArtifactError(
            f"{release_dir} has no serving form; `python -m ml export` makes it."
        ) from error
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"{path} is malformed: {error}.") from error
