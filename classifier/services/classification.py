"""What an inference worker does: claim waiting runs, read their images in batches, record."""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from numpy.typing import NDArray

from classifier import dispatch, inference
from classifier.enums import ImageKind, RunStatus
from classifier.models import Cell, ClassificationRun, ModelVersion
from classifier.services import model_versions, runs
from classifier.services.runs import Reading
from ml.errors import ArtifactError, ImageRejected
from ml.preprocessing import decode_image

if TYPE_CHECKING:
    from classifier.inference import CellClassifier

logger = logging.getLogger(__name__)

# A worker stops claiming for one message after so long; another message carries on.
LONGEST_SECONDS = 60

FIELD_REFUSED = (
    "Fields can't be taken apart yet: cut out single cells, or send the case to manual review."
)
UNREADABLE = (
    "The picture could not be read from storage. "
    "Retry later; if it fails again, tell your administrator."
)
DAMAGED = (
    "The stored picture is damaged. "
    "Ask your administrator to restore it, or send the case to manual review."
)
UNEXPECTED = (
    "The classifier failed on this image. "
    "Retry, or send the case to manual review and tell your administrator."
)
REFUSED = (
    "The classifier's files do not match their release; tell your administrator. "
    "The case can be sent to manual review."
)
NOT_INSTALLED = (
    "The active classifier is not the one installed; tell your administrator. "
    "The case can be sent to manual review."
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A claimed run with its cells cut out, uint8[H, W, 3] each."""

    run: ClassificationRun
    cells: tuple[Cell, ...]
    crops: tuple[NDArray[np.uint8], ...]
    decode_ms: float


def classify_waiting_runs(*, worker: str) -> None:
    """Read the waiting runs of the loaded model, batch by batch, until none is left.

    Each image's fate is its own: what goes wrong with one is recorded for that one. An error
    that nobody foresaw is raised again once everything is recorded.
    """
    try:
        classifier = inference.get_classifier()
    except ArtifactError:
        logger.exception("The model release is refused.")
        runs.settle_stranded(installed=None, message=REFUSED)
        return
    installed = model_versions.find_version(classifier)
    faults = _read_waiting(classifier, installed, worker) if installed else []
    runs.settle_stranded(installed=installed, message=NOT_INSTALLED)
    if faults:
        raise faults[0]


def _read_waiting(
    classifier: "CellClassifier", model: ModelVersion, worker: str
) -> list[Exception]:
    """Claim, compute, record until nothing waits; return the errors nobody foresaw."""
    faults: list[Exception] = []
    ends_at = monotonic() + LONGEST_SECONDS
    has_called_others = False
    while batch := runs.claim_batch(model=model, worker=worker):
        if len(batch) == settings.CLASSIFICATION_BATCH_SIZE and not has_called_others:
            dispatch.classify_waiting_runs()
            has_called_others = True
        readings = read_batch(classifier, batch)
        runs.record(readings)
        faults += [reading.fault for reading in readings if reading.fault]
        if monotonic() > ends_at:
            dispatch.classify_waiting_runs()
            break
    return faults


def read_batch(classifier: "CellClassifier", batch: Sequence[ClassificationRun]) -> list[Reading]:
    """Read the images of a claimed batch, in one call of the model if nothing goes wrong."""
    opened = _open_together(batch)
    pictures = [each for each in opened if isinstance(each, Picture)]
    readings = [each for each in opened if isinstance(each, Reading)]
    try:
        return readings + _classify(classifier, pictures)
    except Exception as error:  # noqa: BLE001 - which image is at fault shows when read alone
        logger.warning("A batch of %d failed; reading them singly: %r", len(pictures), error)
    return readings + [_classify_alone(classifier, picture) for picture in pictures]


def _open_together(batch: Sequence[ClassificationRun]) -> list[Picture | Reading]:
    """Decode side by side, on every core; `runs.claim_batch` bounds the memory that it takes."""
    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="decode")
    try:
        return list(pool.map(_open_or_explain, batch))
    except SoftTimeLimitExceeded as error:
        return [_explain(run, error) for run in batch]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _open_or_explain(run: ClassificationRun) -> Picture | Reading:
    try:
        return _open(run)
    except Exception as error:  # noqa: BLE001 - one bad image must not lose the others
        return _explain(run, error)


def _open(run: ClassificationRun) -> Picture:
    """Read and decode the master, and cut out its cells."""
    started = perf_counter()
    if run.image.kind == ImageKind.FIELD:
        raise ImageRejected("field", FIELD_REFUSED)
    with run.image.file.open("rb") as master:
        data = master.read()
    try:
        pixels = decode_image(data).pixels
    except ImageRejected as error:
        raise ImageRejected(error.code, DAMAGED) from error
    cells = tuple(run.image.cells.all())
    crops = tuple(pixels[cell.y0 : cell.y1, cell.x0 : cell.x1] for cell in cells)
    return Picture(run, cells, crops, decode_ms=_milliseconds_since(started))


def _classify(classifier: "CellClassifier", pictures: Sequence[Picture]) -> list[Reading]:
    """Read all cells of all pictures in one call; its time is shared out evenly."""
    started = perf_counter()
    crops = [crop for picture in pictures for crop in picture.crops]
    predictions = iter(classifier.classify(crops))
    share = _milliseconds_since(started) / max(1, len(crops))
    return [
        Reading(
            picture.run,
            RunStatus.SUCCEEDED,
            findings=tuple((cell, next(predictions)) for cell in picture.cells),
            decode_ms=picture.decode_ms,
            inference_ms=share * len(picture.cells),
        )
        for picture in pictures
    ]


def _classify_alone(classifier: "CellClassifier", picture: Picture) -> Reading:
    try:
        return _classify(classifier, [picture])[0]
    except Exception as error:  # noqa: BLE001 - one bad image must not lose the others
        return _explain(picture.run, error)


def _explain(run: ClassificationRun, error: Exception) -> Reading:
    """Turn an error into a reading: permanent, passing, or one that nobody foresaw."""
    match error:
        case ImageRejected():
            logger.warning("Run %s: %s", run.pk, error)
            return Reading(run, RunStatus.FAILED, message=str(error))
        case OSError() | SoftTimeLimitExceeded():
            logger.warning("Run %s, attempt %s: %r", run.pk, run.attempt, error)
            return runs.put_back_or_fail(run, UNREADABLE)
        case _:
            logger.error("Run %s failed.", run.pk, exc_info=error)
            return Reading(run, RunStatus.FAILED, message=UNEXPECTED, fault=error)


def _milliseconds_since(started: float) -> float:
    return (perf_counter() - started) * 1000
