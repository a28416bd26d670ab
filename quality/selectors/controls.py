"""Controls: their charts, the rules in force, when one is due, what a stop concerns."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import RunStatus
from classifier.models import Case, ModelHold, ModelVersion
from quality.analytes import LEAST_RUNS, Expected, establish
from quality.enums import GOOD, ControlStatus, Verdict
from quality.models import (
    ControlMaterial,
    ControlPoint,
    ControlRules,
    ControlRun,
    ControlStop,
    ControlTarget,
)
from quality.periods import Period
from quality.westgard import REJECTS


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force; until somebody sets others all reject, and no control is ever due."""

    rejecting: tuple[str, ...]
    due_hours: int | None
    missing_stops: bool
    set_at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """When the next control of a version is due at the latest."""

    at: datetime
    last_good: datetime | None

    @property
    def is_overdue(self) -> bool:
        """Whether that is past."""
        return self.at < timezone.now()


@dataclass(frozen=True, slots=True)
class Established:
    """What mean and SD a material's runs give, and how many runs there are."""

    runs: int
    values: dict[str, Expected]

    @property
    def is_enough(self) -> bool:
        """Whether a target may rest on them."""
        return self.runs >= LEAST_RUNS and bool(self.values)


def model_in_use() -> ModelVersion | None:
    """Return the version that reads new cases."""
    return ModelVersion.objects.filter(is_active=True).first()


def versions_to_control() -> list[ModelVersion]:
    """Return the version in use, then those that are stopped and may be released."""
    held = ModelHold.objects.filter(ended_at=None).values("model_version")
    found = ModelVersion.objects.filter(Q(is_active=True) | Q(pk__in=held))
    return list(found.order_by("-is_active", "pk"))


def rules_in_force() -> Rules:
    """Return the laboratory's rules."""
    found = ControlRules.objects.first()
    if found is None:
        return Rules(tuple(REJECTS), None, missing_stops=False, set_at=None)
    return Rules(tuple(found.rules), found.due_hours, found.missing_stops, found.set_at)


def target_in_force(material: ControlMaterial) -> ControlTarget | None:
    """Return the latest approved target."""
    return material.targets.exclude(approved_at=None).order_by("-number").first()


def list_materials() -> "QuerySet[ControlMaterial]":
    """Return the controls in use with `verdict` and time of their last run, then the retired."""
    last = ControlRun.objects.filter(material=OuterRef("pk"), status=ControlStatus.READ)
    newest = last.order_by("-finished_at")
    return ControlMaterial.objects.annotate(
        verdict=Subquery(newest.values("verdict")[:1]),
        read_at=Subquery(newest.values("finished_at")[:1]),
        judging=Max("targets__number", filter=Q(targets__approved_at__isnull=False)),
    ).order_by("retired_at", "name", "lot")


def points_of(material: ControlMaterial, analyte: str, period: Period) -> "QuerySet[ControlPoint]":
    """Return an analyte's points within a period, the oldest first."""
    return (
        ControlPoint.objects.filter(
            run__material=material,
            analyte=analyte,
            run__finished_at__gte=period.begins_at,
            run__finished_at__lt=period.ends_before,
        )
        .select_related("run__model_version", "run__target", "run__started_by")
        .order_by("run__finished_at", "pk")
    )


def established_from(material: ControlMaterial, model: ModelVersion) -> Established:
    """Return what the runs of a version, less those that were rejected, give as a target."""
    runs = material.runs.filter(status=ControlStatus.READ, model_version=model)
    by_run: dict[Any, dict[str, float]] = {}
    points = ControlPoint.objects.filter(run__in=runs.exclude(verdict=Verdict.REJECTED))
    for run, analyte, value in points.values_list("run_id", "analyte", "value"):
        by_run.setdefault(run, {})[analyte] = value
    return Established(len(by_run), establish(list(by_run.values())))


def last_good_run(model: ModelVersion, *, before: datetime | None = None) -> ControlRun | None:
    """Return the latest run that the rules accepted, of one version."""
    runs = ControlRun.objects.filter(model_version=model, verdict__in=GOOD)
    if before is not None:
        runs = runs.filter(finished_at__lt=before)
    return runs.order_by("-finished_at").first()


def next_due(model: ModelVersion) -> Due | None:
    """Return when a control of a version is due; None where none ever is.

    Counted from its last good control, or if later, from when it was put in use or the rule set.
    """
    rules = rules_in_force()
    if rules.due_hours is None or rules.set_at is None:
        return None
    good = last_good_run(model)
    last = good.finished_at if good else None
    activated = AuditEvent.objects.filter(
        action="model.activated", target_id=str(model.pk)
    ).aggregate(at=Max("at"))["at"]
    starts = [at for at in (last, activated, rules.set_at) if at is not None]
    return Due(max(starts) + timedelta(hours=rules.due_hours), last)


def good_run_since(stop: ControlStop) -> ControlRun | None:
    """Return a good control of the version that was begun after the stop.

    None while the control that stopped it, or any that was run since, was last rejected.
    """
    began = stop.run.started_at if stop.run else stop.hold.since
    judged = ControlRun.objects.filter(
        model_version=stop.hold.model_version, started_at__gte=began
    ).exclude(verdict="")
    last = list(judged.order_by("material_id", "-finished_at").distinct("material_id"))
    if any(run.verdict == Verdict.REJECTED for run in last):
        return None
    good = [run for run in last if run.started_at > stop.hold.since]
    return good[0] if good else None


def open_stops() -> list[ControlStop]:
    """Return the stops that nobody released, that of the version in use first."""
    found = ControlStop.objects.filter(hold__ended_at=None)
    stops = found.select_related("hold__model_version", "run__material")
    return list(stops.order_by("-hold__model_version__is_active", "-pk"))


def cases_to_look_at(user: User, stop: ControlStop) -> "QuerySet[Case]":
    """Return the cases that the version read after its last good control, until it was stopped.

    All that it ever read where no control of it was good before.
    """
    hold = stop.hold
    good = last_good_run(hold.model_version, before=hold.since)
    read = {
        "images__runs__model_version": hold.model_version,
        "images__runs__status": RunStatus.SUCCEEDED,
        "images__runs__finished_at__lte": hold.since,
    }
    if good is not None:
        read["images__runs__finished_at__gt"] = good.started_at
    found = Case.objects.visible_to(user).filter(**read).distinct()
    return found.order_by("-registered_at")


def history_of(run: ControlRun, target: ControlTarget) -> dict[str, list[float]]:
    """Return each analyte's z values of the runs before, the oldest first.

    Of the same material, target and version, since the last rejection: what was put right is not
    held against what follows.
    """
    same = ControlRun.objects.filter(
        material=run.material,
        model_version=run.model_version,
        target=target,
        status=ControlStatus.READ,
    ).exclude(pk=run.pk)
    rejected = same.filter(verdict=Verdict.REJECTED).order_by("-finished_at").first()
    if rejected is not None:
        same = same.filter(finished_at__gt=rejected.finished_at)
    points = ControlPoint.objects.filter(run__in=same, sd__isnull=False)
    return _by_analyte(points.order_by("run__finished_at", "run_id"))


def round_of(run: ControlRun, *, hours: int) -> dict[str, list[float]]:
    """Return each analyte's z values of the other good runs of the version in the last hours."""
    since = timezone.now() - timedelta(hours=hours)
    others = ControlRun.objects.filter(
        model_version=run.model_version, verdict__in=GOOD, finished_at__gte=since
    ).exclude(pk=run.pk)
    return _by_analyte(ControlPoint.objects.filter(run__in=others, sd__isnull=False))


def _by_analyte(points: "QuerySet[ControlPoint]") -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for point in points:
        if point.z is not None:
            found.setdefault(point.analyte, []).append(point.z)
    return found
