"""Reading the pictures of claimed runs: decode them, find the cells of fields, name all cells."""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded
from numpy.typing import NDArray

from classifier import inference
from classifier.enums import CellOrigin, DetectedKind, ImageKind, RunStatus
from classifier.models import Cell, ClassificationRun, FieldScan
from classifier.services import runs
from classifier.services.runs import Reading
from ml.cutting import cut_cells
from ml.errors import ArtifactError, ImageRejected
from ml.fields.features import describe
from ml.preprocessing import decode_image
from ml.types import BoundingBox
from vault.exceptions import Damaged

if TYPE_CHECKING:
    from classifier.inference import CellClassifier

logger = logging.getLogger(__name__)

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
NO_DETECTOR = (
    "The detector's files do not match their release; tell your administrator. "
    "The case can be sent to manual review."
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A claimed run with its decoded image, uint8[H, W, 3] RGB, and the cells known on it.

    ``scan`` and ``found`` are what was just found on a field and is not stored yet.
    """

    run: ClassificationRun
    pixels: NDArray[np.uint8]
    decode_ms: float
    known: tuple[Cell, ...]
    scan: FieldScan | None = None
    found: tuple[Cell, ...] = ()
    search_ms: float = 0.0

    @property
    def to_name(self) -> list[Cell]:
        """The cells that the classifier names: red cells and platelets need no name."""
        cells = self.found if self.scan else self.known
        return [cell for cell in cells if cell.detected_as == DetectedKind.LEUKOCYTE]

    @property
    def needs_search(self) -> bool:
        """True for a field whose cells nobody has looked for yet."""
        return self.run.image.kind == ImageKind.FIELD and not hasattr(self.run.image, "scan")

    def crops(self) -> list[NDArray[np.uint8]]:
        """The cells to name, each as the classifier is to see it, uint8[h, w, 3]."""
        if self.run.image.kind == ImageKind.FIELD:
            return cut_cells(self.pixels, [BoundingBox(*cell.box) for cell in self.to_name])
        return [self.pixels[cell.y0 : cell.y1, cell.x0 : cell.x1] for cell in self.to_name]


def read_batch(classifier: "CellClassifier", batch: Sequence[ClassificationRun]) -> list[Reading]:
    """Read the images of a claimed batch, in one call of the model if nothing goes wrong."""
    opened = [_search_or_explain(each) for each in _open_together(batch)]
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
    """Read and decode the master."""
    started = perf_counter()
    try:
        with run.image.file.open("rb") as master:
            pixels = decode_image(master.read()).pixels
    except (ImageRejected, Damaged) as error:
        raise ImageRejected("damaged", DAMAGED) from error
    return Picture(run, pixels, _milliseconds_since(started), known=tuple(run.image.cells.all()))


def _search_or_explain(picture: Picture | Reading) -> Picture | Reading:
    """Find the cells of a field; leave alone what is no field, or failed already."""
    if isinstance(picture, Reading) or not picture.needs_search:
        return picture
    try:
        return _search(picture)
    except Exception as error:  # noqa: BLE001 - one bad image must not lose the others
        return _explain(picture.run, error)


def _search(picture: Picture) -> Picture:
    started = perf_counter()
    detector = inference.get_detector()
    reading = detector.detect(picture.pixels)
    image = picture.run.image
    scan = FieldScan(
        image=image,
        run=picture.run,
        detector_name=detector.name,
        detector_version=detector.version,
        detector_sha256=detector.sha256,
        red_cell=reading.scale.red_cell,
        scale_basis=reading.scale.basis,
        features=describe(picture.pixels).to_bytes(),
    )
    found = tuple(
        Cell(
            image=image,
            **dict(zip(("x0", "y0", "x1", "y1"), each.box.as_list(), strict=True)),
            origin=CellOrigin.MACHINE,
            detected_as=each.kind,
            detection_confidence=each.confidence,
            at_edge=each.at_edge,
        )
        for each in reading.detections
    )
    return replace(picture, scan=scan, found=found, search_ms=_milliseconds_since(started))


def _classify(classifier: "CellClassifier", pictures: Sequence[Picture]) -> list[Reading]:
    """Name all cells of all pictures in one call; its time is shared out evenly."""
    started = perf_counter()
    crops = [crop for picture in pictures for crop in picture.crops()]
    predictions = iter(classifier.classify(crops))
    share = _milliseconds_since(started) / max(1, len(crops))
    return [
        Reading(
            picture.run,
            RunStatus.SUCCEEDED,
            findings=tuple((cell, next(predictions)) for cell in picture.to_name),
            scan=picture.scan,
            found=picture.found,
            decode_ms=picture.decode_ms,
            inference_ms=picture.search_ms + share * len(picture.to_name),
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
        case ArtifactError():
            logger.error("Run %s: the detector is refused: %s", run.pk, error)
            return Reading(run, RunStatus.FAILED, message=NO_DETECTOR)
        case OSError() | SoftTimeLimitExceeded():
            logger.warning("Run %s, attempt %s: %r", run.pk, run.attempt, error)
            return runs.put_back_or_fail(run, UNREADABLE)
        case _:
            logger.error("Run %s failed.", run.pk, exc_info=error)
            return Reading(run, RunStatus.FAILED, message=UNEXPECTED, fault=error)


def _milliseconds_since(started: float) -> float:
    return (perf_counter() - started) * 1000
