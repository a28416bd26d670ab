"""What an inference worker does: claim waiting runs, read their images in batches, record."""

import logging
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from django.conf import settings

from classifier import dispatch, inference
from classifier.models import ClassificationRun, ModelVersion
from classifier.services import explanations, model_versions, runs
from classifier.services.reading import read_batch
from ml.errors import ArtifactError, NotAtHand

if TYPE_CHECKING:
    from classifier.inference import CellClassifier

logger = logging.getLogger(__name__)

# A worker stops claiming for one message after a fourth of a lease, and another message carries
# on: a worker that is asked to stop has done so well before anybody kills it.
TURNS_A_LEASE = 4

REFUSED = (
    "The classifier's files do not match their release; tell your administrator. "
    "The case can be sent to manual review."
)
NOT_INSTALLED = (
    "The active classifier is not the one installed; tell your administrator. "
    "The case can be sent to manual review."
)


def classify_waiting_runs(*, worker: str) -> None:
    """Read the waiting runs, each with the version it was queued for, until none is left.

    So a version that was just put in use is read with at once, and cases that were begun with the
    one before keep it. Each image's fate is its own: what goes wrong with one is recorded for that
    one. An error that nobody foresaw is raised again once everything is recorded.
    """
    faults: list[Exception] = []
    readable: list[ModelVersion] = []
    message = NOT_INSTALLED
    waiting = ClassificationRun.objects.claimable().values("model_version")
    for version in model_versions.list_awaited(waiting):
        try:
            classifier = inference.get_classifier_of(version)
        except ArtifactError as error:
            logger.exception("The release of %s is refused.", version)
            message = NOT_INSTALLED if isinstance(error, NotAtHand) else REFUSED
            continue
        readable.append(version)
        faults += _read_waiting(classifier, version, worker)
    _settle(readable, message)
    explanations.call_for_waiting()
    if faults:
        raise faults[0]


def _settle(readable: Sequence[ModelVersion], message: str) -> None:
    """Free runs of versions that can't be read with, if the active one can be, or fail them."""
    active = ModelVersion.objects.filter(is_active=True).first()
    if active is not None and active not in readable:
        try:
            inference.get_classifier_of(active)
        except ArtifactError:
            logger.exception("The release of %s, which is in use, is refused.", active)
            active = None
    runs.settle_stranded(active=active, readable=readable, message=message)


def _read_waiting(
    classifier: "CellClassifier", model: ModelVersion, worker: str
) -> list[Exception]:
    """Claim, compute, record until nothing waits or it is another's turn; return unforeseen errors.

    While the broker can't be reached nobody else can be called, and this worker goes on.
    """
    faults: list[Exception] = []
    ends_at = monotonic() + settings.CLASSIFICATION_LEASE_SECONDS / TURNS_A_LEASE
    has_called_others = False
    while batch := runs.claim_batch(model=model, worker=worker):
        if len(batch) == settings.CLASSIFICATION_BATCH_SIZE and not has_called_others:
            dispatch.classify_waiting_runs()
            has_called_others = True
        readings = read_batch(classifier, batch)
        runs.record(readings)
        faults += [reading.fault for reading in readings if reading.fault]
        if monotonic() > ends_at and dispatch.pass_on_waiting_runs():
            break
    return faults
