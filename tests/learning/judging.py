"""A frozen set of drawn pictures, and versions that name chosen ones of them wrongly."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User
from classifier import inference
from classifier.models import ModelVersion
from learning.enums import SetKind
from learning.models import LabelledSet
from learning.services.golden import Picture, freeze_set, import_pictures, open_set
from ml.errors import NotAtHand
from ml.fake import FakeClassifier
from ml.preprocessing import decode_image
from ml.types import Prediction
from reports.enums import ReauthenticationMethod
from reports.services.reauthentication import Reauthentication
from tests.clinical import picture_bytes

CLASSES = ("neutrophil", "lymphocyte")
EACH = 40
OTHER = {"neutrophil": "lymphocyte", "lymphocyte": "neutrophil"}


class Knowing(FakeClassifier):
    """Names known pictures by their label, the chosen ones wrongly; fails where it is told to."""

    def __init__(self, labels: dict[str, str], wrong: Collection[str] = ()) -> None:
        super().__init__()
        self.labels, self.wrong = labels, set(wrong)
        self.calls = 0
        self.error: Exception | None = None

    def classify(self, images: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        self.calls += 1
        if self.error:
            raise self.error
        return [self._name(image) for image in images]

    def _name(self, image: NDArray[np.uint8]) -> Prediction:
        key = hash_of(image)
        label = self.labels.get(key, "neutrophil")
        return self._spread(
            OTHER[label] if key in self.wrong else label, bytes(16), confidence=0.97
        )


def hash_of(image: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


class Bench:
    """The versions of a test and the classifiers that stand for them."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.classifiers: dict[int, FakeClassifier] = {}

    def add(self, number: int, wrong: Collection[str] = (), **values: Any) -> ModelVersion:
        version = ModelVersion.objects.create(
            name="cells",
            version=f"{number}.0",
            sha256=f"{number}" * 64,
            class_names=list(FakeClassifier.class_names),
            **values,
        )
        self.classifiers[version.pk] = Knowing(self.labels, wrong)
        return version

    def get(self, version: ModelVersion) -> FakeClassifier:
        if version.pk not in self.classifiers:
            raise NotAtHand(f"{version} is nowhere.")
        return self.classifiers[version.pk]

    def pictures_of(self, cell_type: str) -> list[str]:
        return [key for key, label in self.labels.items() if label == cell_type]


@pytest.fixture
def bench(db: None, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A worker that has every version added here."""
    made = Bench()
    monkeypatch.setattr(inference, "get_classifier_of", made.get)
    return made


@pytest.fixture
def golden(bench: Bench, administrator: User) -> LabelledSet:
    """A frozen golden set of forty cells of each of two classes."""
    draft = open_set(name="golden", kind=SetKind.GOLDEN, source="drawn", licence="CC0",
                     actor=administrator)  # fmt: skip
    pictures = []
    for place, cell_type in enumerate(CLASSES):
        for number in range(EACH):
            data = picture_bytes(1000 * place + number, size=(24, 24))
            bench.labels[hash_of(decode_image(data).pixels)] = cell_type
            key = f"{cell_type}/{number}.png"
            pictures.append(Picture(key, cell_type, key, data))
    import_pictures(set_id=draft.pk, pictures=pictures, actor=administrator)
    return freeze_set(set_id=draft.pk, actor=administrator)


def proof(user: User) -> Reauthentication:
    return Reauthentication(user.pk, ReauthenticationMethod.PASSWORD, timezone.now())
