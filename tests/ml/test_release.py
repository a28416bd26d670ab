"""A release is loaded only if it is what its spec says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ml.artifacts import SPEC_NAME, WEIGHTS_NAME, read_spec, sha256_of, verify, write_spec
from ml.errors import ArtifactError
from ml.exporting import export_release
from ml.inference import load_classifier
from ml.serving_form import FORM_NAME, SERVED_NAME


@pytest.fixture
def release(tiny_release: Path, tmp_path: Path) -> Path:
    """A copy of the tiny release that a test may spoil."""
    return Path(shutil.copytree(tiny_release, tmp_path / "release"))


def change_spec(release: Path, **changes: object) -> None:
    path = release / SPEC_NAME
    fields = json.loads(path.read_text())
    path.write_text(json.dumps(fields | changes))


def test_accepts_an_untouched_release(release: Path) -> None:
    assert verify(release).sha256 == sha256_of(release / WEIGHTS_NAME)


def test_refuses_weights_with_one_bit_changed(release: Path) -> None:
    weights = bytearray((release / WEIGHTS_NAME).read_bytes())
    weights[len(weights) // 2] ^= 1
    (release / WEIGHTS_NAME).write_bytes(weights)
    with pytest.raises(ArtifactError, match="is not the released model"):
        load_classifier(release)


def test_refuses_a_spec_with_another_hash(release: Path) -> None:
    change_spec(release, sha256="0" * 64)
    with pytest.raises(ArtifactError, match="is not the released model"):
        load_classifier(release)


def test_refuses_a_serving_form_with_one_bit_changed(release: Path) -> None:
    served = bytearray((release / SERVED_NAME).read_bytes())
    served[len(served) // 2] ^= 1
    (release / SERVED_NAME).write_bytes(served)
    with pytest.raises(ArtifactError, match="is not the released model"):
        load_classifier(release)


def test_refuses_a_serving_form_made_from_other_weights(release: Path) -> None:
    form = json.loads((release / FORM_NAME).read_text())
    (release / FORM_NAME).write_text(json.dumps(form | {"weights_sha256": "0" * 64}))
    with pytest.raises(ArtifactError, match="other weights"):
        load_classifier(release)


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json"])
def test_refuses_a_serving_form_whose_note_is_none(release: Path, text: str) -> None:
    (release / FORM_NAME).write_text(text)
    with pytest.raises(ArtifactError, match="malformed"):
        load_classifier(release)


def test_refuses_a_serving_form_that_no_engine_reads(release: Path) -> None:
    (release / SERVED_NAME).write_bytes(b"not a network")
    digest = sha256_of(release / SERVED_NAME)
    form = json.loads((release / FORM_NAME).read_text())
    (release / FORM_NAME).write_text(json.dumps(form | {"sha256": digest}))
    with pytest.raises(ArtifactError, match="cannot be opened"):
        load_classifier(release)


def test_the_same_weights_are_exported_to_the_same_bytes(release: Path) -> None:
    before = (release / SERVED_NAME).read_bytes()
    export_release(release)
    assert (release / SERVED_NAME).read_bytes() == before


@pytest.mark.parametrize("name", [SPEC_NAME, WEIGHTS_NAME, SERVED_NAME, FORM_NAME])
def test_refuses_a_release_with_a_file_missing(release: Path, name: str) -> None:
    (release / name).unlink()
    with pytest.raises(ArtifactError):
        load_classifier(release)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"class_names": 3}', "not json"])
def test_refuses_a_spec_that_is_no_spec(release: Path, text: str) -> None:
    (release / SPEC_NAME).write_text(text)
    with pytest.raises(ArtifactError):
        read_spec(release)


@pytest.mark.parametrize(
    "changes",
    [
        {"class_names": ["neutrophil", "unicorn"]},
        {"class_names": ["neutrophil", "neutrophil"]},
        {"class_names": ["neutrophil"]},
        {"preprocessing": "stretch-v0"},
        {"threshold": 1.5},
        {"temperature": 0},
        {"closer": {"size": 150, "temperature": 1.0, "below": 0.9}},
        {"closer": {"size": 160, "temperature": 0.0, "below": 0.9}},
        {"closer": {"size": 160}},
    ],
)
def test_refuses_a_spec_it_cannot_serve(release: Path, changes: dict[str, object]) -> None:
    change_spec(release, **changes)
    with pytest.raises(ArtifactError):
        read_spec(release)


def test_refuses_a_serving_form_of_another_network(release: Path) -> None:
    change_spec(release, class_names=["neutrophil", "lymphocyte", "monocyte"])
    with pytest.raises(ArtifactError, match="does not fit"):
        load_classifier(release)


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_exports_no_weights_of_another_network(release: Path) -> None:
    change_spec(release, class_names=["neutrophil", "lymphocyte", "monocyte"])
    with pytest.raises(ArtifactError, match="do not fit"):
        export_release(release)


def test_a_spec_survives_being_written_and_read(release: Path) -> None:
    spec = read_spec(release)
    write_spec(release, spec)
    assert read_spec(release) == spec
