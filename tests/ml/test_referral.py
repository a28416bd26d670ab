"""A cell is named if its likeliest class is the only one left; else a human looks."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import ReleaseSpec, read_spec, write_spec
from ml.classes import UNIDENTIFIED
from ml.conformal import Quantiles
from ml.embedding import pack, place, unpack
from ml.engine import Engine, NetworkOutput
from ml.errors import ArtifactError
from ml.fake import FakeClassifier
from ml.inference import ServedClassifier
from ml.novelty import NoveltyStatistics
from ml.referral import Referral, is_settled
from ml.serving_form import read_served
from tests.ml.annotations import Pixels


def quantiles(alpha: float, *per_class: float) -> dict[str, object]:
    return Quantiles("lac", alpha, max(per_class), per_class, 800, (100,) * 8).as_dict()


@pytest.fixture
def spec(tiny_release: Path) -> ReleaseSpec:
    """A release whose first class must be likely, and whose last may be at 0.2 already."""
    fitted = [quantiles(0.1, *[0.05] * 8), quantiles(0.02, *[0.3] * 7, 0.8)]
    return replace(
        read_spec(tiny_release),
        conformal={"quantiles": fitted},
        referral=Referral("lac", 0.02),
    )


@pytest.fixture
def engine(tiny_release: Path, spec: ReleaseSpec) -> Engine:
    return Engine(read_served(tiny_release, spec.sha256), sizes=[64], classes=8)


def output(*probabilities: float) -> NetworkOutput:
    """What a network says that gives these probabilities."""
    logits = np.log(np.array(probabilities, dtype=np.float32))
    return NetworkOutput(logits, np.ones(4, np.float32), np.ones((1, 1, 8), np.float32))


SURE = output(0.93, *[0.01] * 7)
SPLIT = output(0.72, *[0.01] * 6, 0.22)
UNSURE = output(0.6, *[0.05] * 6, 0.1)
UPSIDE_DOWN = output(0.6, *[0.01] * 6, 0.34)


def test_names_a_cell_whose_set_is_one_class(spec: ReleaseSpec, engine: Engine) -> None:
    found = ServedClassifier(spec, engine).decide(SURE)
    assert found.candidates == (spec.class_names[0],)
    assert (found.cell_type, found.referred) == (spec.class_names[0], False)


@pytest.mark.parametrize(
    ("seen", "places"), [(SPLIT, (0, 7)), (UNSURE, ()), (UPSIDE_DOWN, (7,))], ids=str
)
def test_refers_a_cell_of_any_other_set(
    spec: ReleaseSpec, engine: Engine, seen: NetworkOutput, places: tuple[int, ...]
) -> None:
    found = ServedClassifier(spec, engine).decide(seen)
    assert found.candidates == tuple(spec.class_names[place] for place in places)
    assert (found.cell_type, found.referred) == (UNIDENTIFIED, True)
    assert found.likeliest == spec.class_names[0]


def test_refers_an_odd_cell_whatever_its_set_holds(spec: ReleaseSpec, engine: Engine) -> None:
    found = ServedClassifier(spec, engine).decide(SURE, oddness=1.2)
    assert len(found.candidates) == 1
    assert found.referred


def test_without_a_referral_the_threshold_decides(spec: ReleaseSpec, engine: Engine) -> None:
    classifier = ServedClassifier(replace(spec, referral=None, threshold=0.7), engine)
    named, doubtful = classifier.decide(SPLIT), classifier.decide(UNSURE)
    assert (named.candidates, named.referred) == ((spec.class_names[0],), False)
    assert (doubtful.candidates, doubtful.referred) == ((), True)


def test_a_set_is_settled_by_its_likeliest_class_alone() -> None:
    rows = np.array([[0.7, 0.3], [0.7, 0.3], [0.7, 0.3], [0.7, 0.3]])
    held = np.array([[True, False], [True, True], [False, True], [False, False]])
    np.testing.assert_array_equal(is_settled(rows, held), [True, False, False, False])


def test_a_referral_survives_being_written_and_read(
    spec: ReleaseSpec, tiny_release: Path, tmp_path: Path
) -> None:
    release = Path(shutil.copytree(tiny_release, tmp_path / "release"))
    matrix = tuple(tuple(range(8)) for _ in range(8))
    kept = replace(spec, confusion_of_accepted=matrix, embedding=3)
    write_spec(release, kept)
    assert read_spec(release).confusion_of_accepted == matrix
    assert read_spec(release).referral == Referral("lac", 0.02)
    assert read_spec(release).embedding == 3


def test_refuses_a_referral_without_quantiles_and_a_matrix_of_other_classes(
    spec: ReleaseSpec,
) -> None:
    with pytest.raises(ArtifactError, match="No quantiles"):
        replace(spec, referral=Referral("lac", 0.01))
    with pytest.raises(ArtifactError, match="confusion"):
        replace(spec, confusion_of_accepted=((1, 2), (3, 4)))


def test_a_release_with_embeddings_gives_one_a_cell(spec: ReleaseSpec, engine: Engine) -> None:
    classifier = ServedClassifier(replace(spec, embedding=2), engine, statistics())
    embedding = classifier.decide(SURE).embedding
    assert embedding is not None
    assert embedding.dtype == np.float16
    assert embedding.shape == (2,)
    assert np.linalg.norm(embedding.astype(float)) == pytest.approx(1.0, abs=1e-3)
    assert ServedClassifier(spec, engine, statistics()).decide(SURE).embedding is None


def test_an_embedding_is_stored_in_two_bytes_a_number() -> None:
    (embedding,) = place(statistics(), np.array([[3.0, 4.0, 9.0, 9.0]], np.float32), 2)
    stored = pack(embedding)
    assert len(stored) == 4
    np.testing.assert_allclose(unpack(memoryview(stored)), [0.6, 0.8], atol=1e-3)


def test_the_fake_gives_candidates_and_embeddings_too(cell_pixels: Pixels) -> None:
    fake = FakeClassifier(["basophil", UNIDENTIFIED])
    named, referred, other = fake.classify([cell_pixels, cell_pixels, cell_pixels[::-1]])
    assert (named.candidates, named.referred) == (("basophil",), False)
    assert (len(referred.candidates), referred.referred) == (2, True)
    assert referred.candidates[0] == referred.likeliest
    assert named.embedding is not None
    assert other.embedding is not None
    assert float(named.embedding.astype(float) @ other.embedding.astype(float)) > 0.5


def statistics() -> NoveltyStatistics:
    return NoveltyStatistics(
        mean=np.zeros(4, np.float32),
        axes=np.eye(4, 3, dtype=np.float16),
        typical=1.0,
        limit=50.0,
        examples=np.zeros((1, 3), np.float16),
        example_labels=np.zeros(1, np.int64),
        example_keys=np.array(["a"]),
    )
