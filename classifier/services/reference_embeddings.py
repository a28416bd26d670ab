"""The active model's embeddings of the reference library: made by a worker, never by the web."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifier import inference
from classifier.models import ModelVersion, ReferenceCell
from classifier.querysets import ReferenceCellQuerySet
from ml.embedding import pack
from ml.errors import ArtifactError, ImageRejected
from ml.preprocessing import decode_image

if TYPE_CHECKING:
    from classifier.inference import CellClassifier

logger = logging.getLogger(__name__)

BATCH = 32


def embed_reference_cells() -> int:
    """Embed the cells in use that the loaded, active model has not seen; return how many.

    A message too many finds nothing to do. After a change of the model all cells wait again, and
    are not compared with until then: embeddings of two models say nothing of each other.
    """
    version = ModelVersion.objects.filter(is_active=True).first()
    if version is None or not _waiting(version).exists():
        return 0
    try:
        classifier = inference.get_classifier_of(version)
    except ArtifactError:
        logger.exception("The release of %s is refused.", version)
        return 0
    done = 0
    while batch := list(_waiting(version)[:BATCH]):
        _embed(batch, classifier, version)
        done += len(batch)
    return done


def _waiting(version: ModelVersion) -> ReferenceCellQuerySet:
    unseen = ReferenceCell.objects.in_use().exclude(embedded_by=version)
    return unseen.order_by("pk")


def _embed(
    batch: Sequence[ReferenceCell], classifier: "CellClassifier", version: ModelVersion
) -> None:
    """Store each embedding; a picture that can't be read has none, and is not tried again."""
    read = {reference.pk: _pixels(reference) for reference in batch}
    known = {key: pixels for key, pixels in read.items() if pixels is not None}
    answers = dict(zip(known, classifier.classify(list(known.values())), strict=True))
    for reference in batch:
        answer = answers.get(reference.pk)
        embedding = answer.embedding if answer else None
        ReferenceCell.objects.filter(pk=reference.pk).update(
            embedding=None if embedding is None else pack(embedding), embedded_by=version
        )


def _pixels(reference: ReferenceCell) -> NDArray[np.uint8] | None:
    try:
        with reference.file.open("rb") as picture:
            return decode_image(picture.read()).pixels
    except (OSError, ImageRejected):
        logger.exception("The picture of reference cell %s can't be read.", reference.pk)
        return None
