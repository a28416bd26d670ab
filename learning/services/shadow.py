"""Shadow trials: a candidate reads again what was read, and touches nothing that counts.

A reading begins only once the live run has ended, while no live case waits, and writes to tables
of its own. Nothing of the case is locked or saved here.
"""

import logging
import uuid
from collections.abc import Sequence
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from accounts.audit import record
from accounts.models import User
from classifier import inference
from classifier.enums import ImageKind, RunStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Cell, ClassificationRun, ModelVersion
from learning import policies
from learning.enums import WorkStatus
from learning.models import ShadowPrediction, ShadowReading, ShadowTrial
from ml.cutting import cut_cells
from ml.preprocessing import decode_image
from ml.types import BoundingBox

if TYPE_CHECKING:
    from ml.types import Prediction

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 10
# After so many failures in a row a trial ends itself.
MOST_FAILURES = 5
FAILED_TOO_OFTEN = f"It failed on {MOST_FAILURES} images in a row."


@transaction.atomic
def start_shadow(*, version_id: int, actor: User) -> ShadowTrial:
    """Have a candidate read live images from now on, after the version in use. Once at a time.

    Raises:
        NotPermitted: the actor doesn't manage models.
        GuardFailed: the version is in use, or nothing is.
    """
    _check(actor)
    version = ModelVersion.objects.select_for_update().get(pk=version_id)
    if version.is_active or not ModelVersion.objects.filter(is_active=True).exists():
        raise GuardFailed("A candidate reads in shadow of another version that is in use.")
    trial, is_new = ShadowTrial.objects.get_or_create(
        version=version, ended_at=None, defaults={"started_by": actor}
    )
    if is_new:
        record(actor=actor, action="model.shadow_started", target=version)
    return trial


@transaction.atomic
def end_shadow(*, trial_id: uuid.UUID, actor: User, reason: str = "") -> ShadowTrial:
    """Have a candidate read no more; what it read stays. Again is harmless.

    Raises:
        NotPermitted: the actor doesn't manage models.
    """
    _check(actor)
    trial = ShadowTrial.objects.select_for_update().get(pk=trial_id)
    if trial.ended_at is None:
        trial.ended_at, trial.ended_by, trial.ended_because = timezone.now(), actor, reason
        trial.save(update_fields=["ended_at", "ended_by", "ended_because"])
        record(actor=actor, action="model.shadow_ended", target=trial.version, reason=reason)
    return trial


def read_in_shadow() -> int:
    """Read what the open trials have not read, until live cases wait; return how many images."""
    done = 0
    ends_at = monotonic() + LONGEST_SECONDS
    for trial in ShadowTrial.objects.filter(ended_at=None).select_related("version"):
        for run in _unread(trial):
            if ClassificationRun.objects.claimable().exists() or monotonic() > ends_at:
                return done
            if not _read(trial, run):
                break
            done += 1
    return done


def _unread(trial: ShadowTrial) -> list[ClassificationRun]:
    """Live runs that ended since the trial began, the oldest first."""
    ended = ClassificationRun.objects.filter(
        status=RunStatus.SUCCEEDED, finished_at__gte=trial.started_at
    ).exclude(model_version=trial.version)
    unread = ended.exclude(pk__in=trial.readings.values("run_id")).order_by("finished_at")
    return list(unread.select_related("image")[:100])


def _read(trial: ShadowTrial, run: ClassificationRun) -> bool:
    """Read one image again; False if the trial ended over it. Whatever goes wrong stays here."""
    started = perf_counter()
    try:
        classifier = inference.get_classifier_of(trial.version)
        cells = [each.cell for each in run.predictions.select_related("cell").order_by("pk")]
        answers = classifier.classify(_crops(run, cells)) if cells else []
        _keep(trial, run, list(zip(cells, answers, strict=True)), started)
    except Exception as error:  # a shadow's failure is nobody's but its own
        logger.exception("Shadow %s failed on run %s.", trial.pk, run.pk)
        return _note_failure(trial, run, error)
    return True


def _crops(run: ClassificationRun, cells: Sequence[Cell]) -> list[NDArray[np.uint8]]:
    """The cells as the live version saw them, uint8[h, w, 3]."""
    with run.image.file.open("rb") as master:
        pixels = decode_image(master.read()).pixels
    if run.image.kind == ImageKind.FIELD:
        return cut_cells(pixels, [BoundingBox(*cell.box) for cell in cells])
    return [pixels[cell.y0 : cell.y1, cell.x0 : cell.x1] for cell in cells]


@transaction.atomic
def _keep(
    trial: ShadowTrial,
    run: ClassificationRun,
    found: Sequence[tuple[Cell, "Prediction"]],
    started: float,
) -> None:
    reading = ShadowReading.objects.create(
        trial=trial,
        run=run,
        status=WorkStatus.DONE,
        milliseconds=(perf_counter() - started) * 1000,
    )
    ShadowPrediction.objects.bulk_create(
        ShadowPrediction(
            reading=reading,
            cell=cell,
            cell_type=answer.cell_type,
            likeliest=answer.likeliest,
            confidence=answer.confidence,
            probabilities=dict(answer.probabilities),
            is_referred=answer.referred,
        )
        for cell, answer in found
    )


def _note_failure(trial: ShadowTrial, run: ClassificationRun, error: Exception) -> bool:
    """Write down that an image was not read; end the trial if that happens again and again."""
    ShadowReading.objects.get_or_create(
        trial=trial, run=run, defaults={"status": WorkStatus.FAILED, "message": repr(error)[:250]}
    )
    last = list(trial.readings.order_by("-pk").values_list("status", flat=True)[:MOST_FAILURES])
    if last == [WorkStatus.FAILED] * MOST_FAILURES:
        end_shadow(trial_id=trial.pk, actor=User.system(), reason=FAILED_TOO_OFTEN)
        return False
    return True


def _check(actor: User) -> None:
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")
