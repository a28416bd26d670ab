"""Model versions: register a release, activate it, find the one a worker has loaded."""

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier import dispatch, policies
from classifier.exceptions import DomainError, NotPermitted
from classifier.models import ModelVersion
from ml.artifacts import ReleaseSpec

if TYPE_CHECKING:
    from accounts.models import User
    from classifier.inference import CellClassifier


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
        defaults={
            "sha256": spec.sha256,
            "class_names": list(spec.class_names),
            "metrics": dict(spec.metrics),
            "approved_by": actor,
        },
    )
    if version.sha256 != spec.sha256:
        raise DomainError(
            f"Other weights are registered as {version}; a changed model needs a new version."
        )
    if is_new:
        record(
            actor=actor, action="model.registered", target=version, after={"sha256": spec.sha256}
        )
    if not any(known.is_active for known in _lock_all()):
        return _activate(version, actor, reason="first model")
    return version


@transaction.atomic
def activate_version(*, version_id: int, actor: "User", reason: str) -> ModelVersion:
    """Have cases submitted from now on read by this version, instead of the one before.

    Raises:
        NotPermitted: the actor doesn't manage models.
    """
    _check_permission(actor)
    _lock_all()
    version = ModelVersion.objects.get(pk=version_id)
    return version if version.is_active else _activate(version, actor, reason)


def find_version(classifier: "CellClassifier") -> ModelVersion | None:
    """Return the registered version that a loaded classifier is, if it is registered at all."""
    return ModelVersion.objects.filter(
        name=classifier.name, version=classifier.version, sha256=classifier.sha256
    ).first()


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
    version.is_active = True
    version.save(update_fields=["is_active"])
    record(
        actor=actor,
        action="model.activated",
        target=version,
        before={"active": str(former) if former else None},
        after={"active": str(version)},
        reason=reason,
    )
    dispatch.classify_waiting_runs()
    return version
