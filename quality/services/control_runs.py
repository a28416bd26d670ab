"""Control runs: pictures of a control come in, the model in use reads them, the rules judge.

A run is claimed for a limited time, read outside any transaction and judged in one, under the
lock of its control, so that runs of one control are judged one after the other.
"""

import hashlib
import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from classifier.exceptions import NotPermitted
from classifier.models import ModelVersion, SmearImage
from ml.errors import ImageRejected
from ml.kinds import guess_kind
from ml.preprocessing import decode_image, to_png
from quality import dispatch, policies
from quality.enums import ControlStatus, Verdict
from quality.exceptions import ControlRefused
from quality.models import ControlMaterial, ControlPicture, ControlPoint, ControlRun
from quality.selectors.controls import (
    history_of,
    round_of,
    rules_in_force,
    target_in_force,
    versions_to_control,
)
from quality.services.control_reading import Measured, Unreadable, read_control
from quality.services.control_stops import stop_after
from quality.westgard import broken_rules, is_rejection

logger = logging.getLogger(__name__)

MOST_PICTURES = 60
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 3
SENT_TWICE = timedelta(minutes=10)
ROUND_HOURS = 24
"""Hours within which measurements make one group for R-4s: the longest that a series of
measurements counts as one run (CLIA, 42 CFR 493.1256(d): controls at least once a day)."""
STOPPED = "The worker stopped several times on this control. Upload the pictures again."
UNEXPECTED = "The classifier failed on these pictures. Tell your administrator."


def start_run(
    *,
    actor: User,
    material_id: int,
    files: Sequence[tuple[str, bytes]],
    version_id: int | None = None,
    comment: str = "",
) -> ControlRun:
    """Take pictures of a control, name and bytes each, and have a version read them.

    It is the version in use, or one that is stopped and is to be released. All pictures are taken
    or none. The same pictures again within minutes are the same run.

    Raises:
        NotPermitted: the actor brings no pictures.
        ControlRefused: the control is retired or expired, the version reads none, or a picture
            is unreadable, twice there, or one of a patient's case.
    """
    if not policies.can_run_controls(actor):
        raise NotPermitted("You may not upload controls.")
    model = _version(version_id)
    material = ControlMaterial.objects.get(pk=material_id)
    _check_material(material)
    run = ControlRun(
        material=material, model_version=model, started_by=actor, comment=comment.strip()[:250]
    )
    pictures = _pictures(run, files)
    stored: list[str] = []
    try:
        with transaction.atomic():
            if (same := _sent_already(run, [picture for picture, _ in pictures])) is not None:
                return same
            run.save(force_insert=True)
            for picture, pixels in pictures:
                picture.file.save("", ContentFile(pixels), save=False)
                stored.append(str(picture.file.name))
                picture.save(force_insert=True)
            record(
                actor=actor, action="control.uploaded", target=run, reason=comment,
                after={"model": str(model), "pictures": len(pictures)},
            )  # fmt: skip
            dispatch.read_controls()
    except BaseException:
        for name in stored:
            default_storage.delete(name)
        raise
    return run


def read_waiting() -> None:
    """Read and judge the controls that wait, the oldest first; a message too many finds none."""
    while (run := _claim()) is not None:
        try:
            measured = read_control(run)
        except Unreadable as problem:
            _fail(run, str(problem))
        except Exception:
            _fail(run, UNEXPECTED)
            raise
        else:
            judge(run_id=run.pk, attempt=run.attempt, measured=measured)


@transaction.atomic
def judge(*, run_id: uuid.UUID, attempt: int, measured: Measured) -> ControlRun:
    """Write what was measured, hold it against the rules, and stop the model on a rejection.

    A claim that was lost meanwhile changes nothing.
    """
    found = ControlRun.objects.select_related("material", "model_version", "started_by")
    run = found.get(pk=run_id)
    ControlMaterial.objects.select_for_update().get(pk=run.material_id)
    run = found.select_for_update(of=("self",)).get(pk=run_id)
    if (run.status, run.attempt) != (ControlStatus.RUNNING, attempt):
        return run
    points = _judged_points(run, measured)
    run.status, run.cells, run.finished_at = ControlStatus.READ, measured.cells, timezone.now()
    run.lease_expires_at = None
    run.verdict = _verdict(run, points)
    run.save()
    ControlPoint.objects.bulk_create(points)
    _tell(run, points)
    if run.verdict == Verdict.REJECTED:
        stop_after(run, points)
    return run


def _version(version_id: int | None) -> ModelVersion:
    versions = versions_to_control()
    for version in versions:
        if version_id is None or version.pk == version_id:
            return version
    if versions:
        raise ControlRefused("This version is neither in use nor stopped.")
    raise ControlRefused("No classifier is in use; ask your administrator to activate one.")


def _sent_already(run: ControlRun, pictures: Sequence[ControlPicture]) -> ControlRun | None:
    """Return the run that a form sent twice made the first time: it would count twice."""
    ControlMaterial.objects.select_for_update().get(pk=run.material_id)
    latest = ControlRun.objects.filter(
        material=run.material, model_version=run.model_version,
        started_at__gt=timezone.now() - SENT_TWICE,
    ).first()  # fmt: skip
    if latest is None:
        return None
    held = set(latest.pictures.values_list("original_sha256", flat=True))
    return latest if held == {picture.original_sha256 for picture in pictures} else None


def _check_material(material: ControlMaterial) -> None:
    if material.retired_at is not None:
        raise ControlRefused("This control is retired.")
    if material.expires_on is not None and material.expires_on < timezone.localdate():
        raise ControlRefused(f"This control expired on {material.expires_on:%d %b %Y}.")


def _pictures(
    run: ControlRun, files: Sequence[tuple[str, bytes]]
) -> list[tuple[ControlPicture, bytes]]:
    """Decode every picture, or refuse them all with the name of the one that is at fault."""
    if not files:
        raise ControlRefused("Choose at least one picture.")
    if len(files) > MOST_PICTURES:
        raise ControlRefused(f"At most {MOST_PICTURES} pictures make a control.")
    found = {}
    for name, data in files:
        digest = hashlib.sha256(data).hexdigest()
        if digest in found:
            raise ControlRefused(f"{name} is there twice. Nothing was stored.")
        found[digest] = _picture(run, name, data, digest)
    if SmearImage.objects.filter(original_sha256__in=found).exists():
        raise ControlRefused(
            "One of these pictures belongs to a patient's case. A control is never a patient's: "
            "nothing was stored."
        )
    return list(found.values())


def _picture(run: ControlRun, name: str, data: bytes, digest: str) -> tuple[ControlPicture, bytes]:
    if len(data) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES // 1024**2
        raise ControlRefused(f"{name} is larger than {limit} MB. Nothing was stored.")
    try:
        pixels = decode_image(data).pixels
    except ImageRejected as error:
        raise ControlRefused(f"{name}: {error} Nothing was stored.") from error
    picture = ControlPicture(
        run=run, kind=guess_kind(pixels), original_name=name[-255:], original_sha256=digest
    )
    return picture, to_png(pixels)


@transaction.atomic
def _claim() -> ControlRun | None:
    """Claim what waits, or what a vanished worker left."""
    waiting = ControlRun.objects.filter(
        Q(status=ControlStatus.QUEUED) | Q(status=ControlStatus.RUNNING, lease_expires_at__lt=Now())
    )
    locked = waiting.select_for_update(of=("self",), skip_locked=True).order_by("started_at")
    run = locked.select_related("model_version", "material", "started_by").first()
    if run is None:
        return None
    if run.attempt >= MOST_ATTEMPTS:
        _fail(run, STOPPED)
        return None
    run.status, run.attempt = ControlStatus.RUNNING, run.attempt + 1
    run.lease_expires_at = timezone.now() + LEASE
    run.save(update_fields=["status", "attempt", "lease_expires_at"])
    return run


@transaction.atomic
def _fail(run: ControlRun, message: str) -> None:
    """End a run that can't be read, if its claim still holds."""
    claimed = ControlRun.objects.filter(
        pk=run.pk, status=ControlStatus.RUNNING, attempt=run.attempt
    )
    ended = claimed.update(
        status=ControlStatus.FAILED, message=message, lease_expires_at=None, finished_at=Now()
    )
    if ended:
        record(actor=User.system(), action="control.failed", target=run, reason=message)


def _judged_points(run: ControlRun, measured: Measured) -> list[ControlPoint]:
    """Return the run's points; those of which something is expected say which rules they break."""
    run.target = target = target_in_force(run.material)
    if target is None:
        return [
            ControlPoint(run=run, analyte=name, value=value)
            for name, value in measured.values.items()
        ]
    expected = {each.analyte: each for each in target.values.all()}
    before, others = history_of(run, target), round_of(run, hours=ROUND_HOURS)
    rules = rules_in_force().rejecting
    points = []
    for name, value in measured.values.items():
        point = ControlPoint(run=run, analyte=name, value=value)
        if name in expected:
            point.mean, point.sd = expected[name].mean, expected[name].sd
            z = [*before.get(name, []), (value - point.mean) / point.sd]
            point.broken = [str(r) for r in broken_rules(z, others.get(name, []), rules=rules)]
        points.append(point)
    return points


def _verdict(run: ControlRun, points: Sequence[ControlPoint]) -> str:
    if run.target is None:
        return ""
    if any(is_rejection(point.broken) for point in points):
        return Verdict.REJECTED
    return Verdict.WARNING if any(point.broken for point in points) else Verdict.ACCEPTED


def _tell(run: ControlRun, points: Sequence[ControlPoint]) -> None:
    action = f"control.{run.verdict}" if run.verdict else "control.unjudged"
    record(
        actor=User.system(), action=action, target=run,
        after={
            "model": str(run.model_version),
            "target": run.target.number if run.target else None,
            "broken": {point.analyte: point.broken for point in points if point.broken},
        },
    )  # fmt: skip
