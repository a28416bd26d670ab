"""Model versions: register a release, add a candidate, activate one."""

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import record
from classifier import dispatch, policies
from classifier.exceptions import DomainError, NotPermitted
from classifier.models import ModelVersion
from classifier.services.holds import move_waiting_runs
from ml.artifacts import ReleaseSpec

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


@transaction.atomic
def register_release(*, spec: ReleaseSpec, actor: "User") -> ModelVersion:
    """Make a verified release known, once; where no model is active it becomes the active one.

    Raises:
        NotPermitted: the actor doesn't manage models.
        DomainError: other weights are registered under this name and version.
    """
    _check_permission(actor)
    version, is_new = ModelVersion.objects.get_or_create(
        name=spec.name,
        version=spec.version,
        defaults=_columns(spec) | {"approved_by": actor},
    )
    if version.sha256 != spec.sha256:
        raise DomainError(
            f"Other weights are registered as {version}; a changed model needs a new version."
        )
    if version.confusion_of_accepted is None and spec.confusion_of_accepted is not None:
        _learn_confusion(version, spec, actor)
    if is_new:
        record(
            actor=actor, action="model.registered", target=version, after={"sha256": spec.sha256}
        )
    if not any(known.is_active for known in _lock_all()):
        return _activate(version, actor, reason="first model")
    return version


@transaction.atomic
def add_candidate(*, spec: ReleaseSpec, release_sha256: str, actor: "User") -> ModelVersion:
    """Make a release known that the store keeps; it reads nothing before it is activated.

    The same release again is the same version.

    Raises:
        NotPermitted: the actor doesn't manage models.
        DomainError: another release is registered under this name and version.
    """
    _check_permission(actor)
    version, is_new = ModelVersion.objects.get_or_create(
        name=spec.name,
        version=spec.version,
        defaults=_columns(spec) | {"release_sha256": release_sha256},
    )
    if not is_new and (version.sha256, version.release_sha256) != (spec.sha256, release_sha256):
        raise DomainError(
            f"Another release is registered as {version}; a changed model needs a new version."
        )
    if is_new:
        record(
            actor=actor,
            action="model.registered",
            target=version,
            after={"sha256": spec.sha256, "release": release_sha256},
        )
    return version


@transaction.atomic
def note_stored(*, version: ModelVersion, release_sha256: str, actor: "User") -> ModelVersion:
    """Remember where the store keeps a version that was registered from its folder alone."""
    locked = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if not locked.release_sha256:
        locked.release_sha256 = release_sha256
        locked.save(update_fields=["release_sha256"])
        record(
            actor=actor,
            action="model.stored",
            target=locked,
            after={"release": release_sha256},
        )
    return locked


def list_awaited(model_ids: "QuerySet[Any, Any]") -> list[ModelVersion]:
    """Return the versions among these, the active one first."""
    return list(ModelVersion.objects.filter(pk__in=model_ids).order_by("-is_active", "pk"))


@transaction.atomic
def activate_version(*, version_id: int, actor: "User", reason: str) -> ModelVersion:
    """Have cases submitted from now on read by this version, instead of the one before.

    It reads what waits for a version that is stopped, too.

    Raises:
        NotPermitted: the actor doesn't manage models.
    """
    _check_permission(actor)
    _lock_all()
    version = ModelVersion.objects.get(pk=version_id)
    return version if version.is_active else _activate(version, actor, reason)


def _learn_confusion(version: ModelVersion, spec: ReleaseSpec, actor: "User") -> None:
    """Keep the confusion of a release that was registered before releases stated theirs."""
    version.confusion_of_accepted = spec.confusion_of_accepted
    version.save(update_fields=["confusion_of_accepted"])
    record(
        actor=actor,
        action="model.confusion_stated",
        target=version,
        after={"confusion_of_accepted": spec.confusion_of_accepted},
    )


def _columns(spec: ReleaseSpec) -> dict[str, Any]:
    return {
        "sha256": spec.sha256,
        "class_names": list(spec.class_names),
        "metrics": dict(spec.metrics),
        "confusion_of_accepted": spec.confusion_of_accepted,
    }


def _check_permission(actor: "User") -> None:
    if not policies.can_manage_models(actor):
        raise NotPermitted("You may not manage the classifier's models.")


def _lock_all() -> list[ModelVersion]:
    """Lock every version, so that two activations can't cross."""
    return list(ModelVersion.objects.select_for_update().order_by("pk"))


def _activate(version: ModelVersion, actor: "User", reason: str) -> ModelVersion:
    former = ModelVersion.objects.filter(is_active=True).first()
    if former is not None:
        former.is_active = False
        former.save(update_fields=["is_active"])
    version.is_active, version.approved_by = True, actor
    version.save(update_fields=["is_active", "approved_by"])
    record(
        actor=actor,
        action="model.activated",
        target=version,
        before={"active": str(former) if former else None},
        after={"active": str(version)},
        reason=reason,
    )
    move_waiting_runs(to=version)
    dispatch.classify_waiting_runs()
    dispatch.embed_reference_cells()
    return version
