"""The registry's list of versions, and all that is known of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.http import Http404
from django.utils.safestring import SafeString

from accounts.audit import ACTIONS
from accounts.models import AuditEvent, User
from classifier import model_store
from classifier.enums import RunStatus
from classifier.models import ModelVersion
from learning import policies
from learning.enums import Standing
from learning.models import CandidateUpload, Comparison, Evaluation, ModelRelease, ShadowTrial
from learning.selectors.cards import render_card
from learning.selectors.standing import Period, list_periods, standing_of, with_standing
from ml.artifacts import CARD_NAME

UPLOADS_SHOWN = 8
LEFT_OUT = "The laboratory's cells, left out in turn"
"""Figures of a head made here: each cell is read by one that did not learn from its patient."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One version in the list: where it stands, when it was in use and how much it read."""

    version: ModelVersion
    standing: Standing
    periods: tuple[Period, ...]
    runs: int
    cases: int

    @property
    def headline(self) -> Mapping[str, Any] | None:
        """Accuracy that the release states, with n and interval; None if it states none."""
        stated = _stated(self.version)
        found: Mapping[str, Any] | None = stated[0][1].get("accuracy") if stated else None
        return found

    @property
    def headline_of(self) -> str:
        """On which cells."""
        stated = _stated(self.version)
        return stated[0][0] if stated else ""


@dataclass(frozen=True, slots=True)
class DataSource:
    """What a release learned from, as its spec says."""

    name: str
    words: str
    folds: Mapping[str, int]
    fingerprints: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done with a version."""

    what: str
    who: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ModelPage:
    """All that the registry knows of one version."""

    row: ModelRow
    release: ModelRelease | None
    card: SafeString
    sources: tuple[DataSource, ...]
    tests: tuple[tuple[str, Mapping[str, Any]], ...]
    evaluations: Sequence[Evaluation]
    comparisons: Sequence[Comparison]
    trials: Sequence[ShadowTrial]
    history: Sequence[Step]

    @property
    def is_moving(self) -> bool:
        """True while workers read sets with it or compare it, so that the page asks again."""
        made = getattr(self.row.version, "retraining", None)
        waits = made is not None and not made.is_judged
        return waits or any(each.is_open for each in self.evaluations)

    @property
    def code(self) -> Mapping[str, str]:
        """The fingerprint of the code that made it; empty in older releases."""
        spec = self.release.spec if self.release else {}
        return spec.get("code") or {}


def list_models(user: User) -> list[ModelRow]:
    """Return every version, the one in use first, then the latest."""
    _check(user)
    periods = list_periods()
    counted = with_standing(_counted()).select_related("release", "approved_by")
    return [_row(each, periods) for each in counted.order_by("-is_active", "-registered_at")]


def list_uploads(user: User) -> list[CandidateUpload]:
    """Return the latest uploads for who manages models; nothing for others."""
    if not policies.can_manage_models(user):
        return []
    found = CandidateUpload.objects.select_related("uploaded_by", "version")
    return list(found[:UPLOADS_SHOWN])


def get_version(user: User, pk: int) -> ModelVersion:
    """Return a version, or raise Http404."""
    _check(user)
    found = ModelVersion.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def version_in_use() -> ModelVersion | None:
    """Return the version that new cases are read with."""
    return ModelVersion.objects.filter(is_active=True).first()


def get_model(user: User, pk: int) -> ModelPage:
    """Return what is known of a version, or raise Http404."""
    _check(user)
    version = with_standing(_counted()).filter(pk=pk)
    found = version.select_related("release", "approved_by", "retraining").first()
    if found is None:
        raise Http404
    release = getattr(found, "release", None)
    spec = release.spec if release else {}
    return ModelPage(
        row=_row(found, list_periods()),
        release=release,
        card=render_card(model_store.read_text(release.digest, CARD_NAME) if release else ""),
        sources=tuple(_source(each) for each in spec.get("data", {}).get("sources", ())),
        tests=_stated(found),
        evaluations=list(found.evaluations.select_related("labelled_set", "asked_by")),
        comparisons=list(
            found.comparisons.select_related(
                "incumbent", "evaluation__labelled_set", "override__by", "rule"
            )
        ),
        trials=list(found.trials.select_related("started_by", "ended_by")),
        history=_history(found),
    )


def _check(user: User) -> None:
    if not policies.can_read_registry(user):
        raise Http404


def _counted() -> Any:
    read = Q(runs__status=RunStatus.SUCCEEDED)
    return ModelVersion.objects.annotate(
        run_count=Count("runs", filter=read),
        case_count=Count("runs__image__case", filter=read, distinct=True),
    )


def _row(version: Any, periods: Mapping[int, list[Period]]) -> ModelRow:
    own = tuple(periods.get(version.pk, ()))
    return ModelRow(
        version=version,
        standing=standing_of(version, was_in_use=bool(own)),
        periods=own,
        runs=version.run_count,
        cases=version.case_count,
    )


def _source(told: Mapping[str, Any]) -> DataSource:
    return DataSource(
        name=str(told.get("name", "")),
        words=str(told.get("words", "")),
        folds=told.get("folds", {}),
        fingerprints=told.get("fingerprints", {}),
    )


def _stated(version: ModelVersion) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The figures that a release states of itself, and of which cells each are."""
    release, metrics = getattr(version, "release", None), version.metrics
    is_retrained = release is not None and "retrained" in release.spec.get("training", {})
    found = (
        (LEFT_OUT, metrics.get("adaptation", {}).get("after")),
        (LEFT_OUT if is_retrained else "Its own test fold", metrics.get("test")),
        ("Its own validation fold", metrics.get("validation")),
    )
    return tuple((title, figures) for title, figures in found if figures)


def _history(version: ModelVersion) -> list[Step]:
    """Everything that was done with the version itself, the latest first."""
    events = AuditEvent.objects.filter(
        target_type="classifier.modelversion", target_id=str(version.pk)
    )
    return [
        Step(ACTIONS.get(event.action, event.action), event.actor_name, event.at, event.reason)
        for event in events.order_by("-at")
    ]
