"""What an inference worker does with waiting explanations: decode, explain, record, give way.

Classification always goes first. A worker begins no explanation while runs wait, looks for new
ones every half second while it makes one, and then puts back what it has begun. It does the same
where somebody waits for a quick map, which costs him an instant.
"""

import logging
from collections.abc import Callable, Sequence
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded
from numpy.typing import NDArray

from classifier import dispatch, inference
from classifier.enums import QUICK_METHODS, ImageKind
from classifier.models import ClassificationRun, Explanation, ModelVersion
from classifier.services import explanations, model_versions
from classifier.services.overlays import Finding, describe_answer
from ml.cutting import cell_square, cut_cells
from ml.errors import ArtifactError, ImageRejected, NotAtHand
from ml.preprocessing import decode_image
from ml.types import BoundingBox
from vault.exceptions import Damaged

if TYPE_CHECKING:
    from ml.explain import Explainer

logger = logging.getLogger(__name__)

# A worker stops claiming for one message after so long; another message carries on.
LONGEST_SECONDS = 20
LOOKS_EVERY_SECONDS = 0.5

UNREADABLE = "The picture could not be read from storage. Try again later."
DAMAGED = "The stored picture is damaged. Ask your administrator to restore it."
UNEXPECTED = "The explanation failed. Try again, and tell your administrator if it fails again."
TOO_SLOW = "The explanation took too long. Try again when the laboratory is less busy."
REFUSED = "The classifier's files do not match their release; tell your administrator."
NOT_INSTALLED = "The classifier that read this cell is not at hand; tell your administrator."


class GaveWay(Exception):
    """A classification run or a quick map waits, so the explanation is put back."""


class ClaimLost(Exception):
    """The explanation was cancelled, or another worker took it over."""


def explain_waiting(*, worker: str) -> None:
    """Make the waiting explanations, each with the version that read its cell, one at a time.

    Each one's fate is its own: what goes wrong is recorded in words, and logged if nobody foresaw
    it.
    """
    readable: list[ModelVersion] = []
    message = NOT_INSTALLED
    waiting = Explanation.objects.claimable().values("model_version")
    for version in model_versions.list_awaited(waiting):
        try:
            explainer = inference.get_explainer_of(version)
        except ArtifactError as error:
            logger.exception("The release of %s is refused.", version)
            message = NOT_INSTALLED if isinstance(error, NotAtHand) else REFUSED
            continue
        readable.append(version)
        _explain_all(explainer, version, worker)
    explanations.settle_stranded(readable=readable, message=message)


def _explain_all(explainer: "Explainer", model: ModelVersion, worker: str) -> None:
    ends_at = monotonic() + LONGEST_SECONDS
    while not _runs_wait():
        batch = explanations.claim_next(model=model, worker=worker)
        if not batch:
            return
        try:
            _explain_cell(explainer, model, batch)
        except GaveWay:
            explanations.give_way(batch)
        if monotonic() > ends_at:
            explanations.call_for_waiting()
            return
    dispatch.classify_waiting_runs()


def _runs_wait() -> bool:
    return ClassificationRun.objects.claimable().exists()


def _explain_cell(
    explainer: "Explainer", model: ModelVersion, batch: Sequence[Explanation]
) -> None:
    """Make the explanations of one cell: first the quick maps, so that they show, then all."""
    try:
        pixels, region = _open(batch[0])
    except Exception as error:  # noqa: BLE001 - turned into words
        for each in batch:
            _end(each, error)
        return
    making = [_Making(explainer, model, each, pixels, region) for each in batch]
    left = [each for each in making if each.attempt(each.map_first)]
    _describe(explainer, model, batch[0], pixels)
    for one in left:
        one.attempt(one.finish)


def _describe(
    explainer: "Explainer", model: ModelVersion, claim: Explanation, pixels: NDArray[np.uint8]
) -> None:
    """Have the cell's looks put in words, once; maps are made even where that fails."""
    if explanations.has_traits(claim, model):
        return
    try:
        explanations.keep_traits(claim, model, explainer.describe(pixels))
    except Exception:
        logger.exception("The traits of cell %s could not be read.", claim.cell_id)


class _Making:
    """One claimed explanation on its way."""

    def __init__(
        self,
        explainer: "Explainer",
        model: ModelVersion,
        claim: Explanation,
        pixels: NDArray[np.uint8],
        region: tuple[int, int, int, int],
    ) -> None:
        self.explainer, self.model, self.claim = explainer, model, claim
        self.pixels, self.region = pixels, region
        self.looked_at = monotonic()
        self.seconds = 0.0

    def attempt(self, step: Callable[[], bool]) -> bool:
        """Take a step; False if the explanation has ended with it."""
        started = perf_counter()
        try:
            return step()
        except GaveWay:
            raise
        except ClaimLost:
            return False
        except Exception as error:  # noqa: BLE001 - turned into words
            _end(self.claim, error)
            return False
        finally:
            self.seconds += perf_counter() - started

    def map_first(self) -> bool:
        """Show a quick map before its scores are measured."""
        if self.claim.method not in QUICK_METHODS or self.claim.heat:
            return True
        return explanations.keep_map(self.claim, self._ask(is_scored=False))

    def finish(self) -> bool:
        """Measure how faithful the map is, and record it."""
        started = perf_counter()
        finding = self._ask(is_scored=True)
        duration = (self.seconds + perf_counter() - started) * 1000
        explanations.record(self.claim, finding, duration_ms=duration)
        return True

    def _ask(self, *, is_scored: bool) -> Finding:
        answer = self.explainer.explain(
            self.pixels,
            method=self.claim.method,
            class_name=self.claim.cell_type,
            is_scored=is_scored,
            on_progress=self._on_progress if is_scored else None,
        )
        return describe_answer(answer, self.region)

    def _on_progress(self, done: int, total: int) -> None:
        """Tell how far it is; raise if classification needs the worker, or nobody waits."""
        if monotonic() < self.looked_at + LOOKS_EVERY_SECONDS:
            return
        self.looked_at = monotonic()
        if not explanations.note_progress(self.claim, min(done, total), total):
            raise ClaimLost
        if _runs_wait() or explanations.quick_map_waits(self.model):
            raise GaveWay


def _open(explanation: Explanation) -> tuple[NDArray[np.uint8], tuple[int, int, int, int]]:
    """Return the picture as the classifier saw it, uint8[h, w, 3], and where it lies."""
    image = explanation.cell.image
    with image.file.open("rb") as master:
        pixels = decode_image(master.read()).pixels
    x0, y0, x1, y1 = explanation.box
    if image.kind != ImageKind.FIELD:
        return pixels[y0:y1, x0:x1], (x0, y0, x1 - x0, y1 - y0)
    box = BoundingBox(*explanation.box)
    left, top, side = cell_square(box)
    return cut_cells(pixels, [box])[0], (left, top, side, side)


def _end(claim: Explanation, error: Exception) -> None:
    """Turn an error into words: permanent, passing, or one that nobody foresaw."""
    match error:
        case ImageRejected() | Damaged():
            explanations.fail(claim, DAMAGED)
        case SoftTimeLimitExceeded():
            explanations.fail(claim, TOO_SLOW)
        case OSError():
            explanations.put_back_or_fail(claim, UNREADABLE)
        case _:
            logger.error("Explanation %s failed.", claim.pk, exc_info=error)
            explanations.fail(claim, UNEXPECTED)
