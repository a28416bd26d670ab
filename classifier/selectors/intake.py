"""Read models of the technician's pages: a case's images and how far they are, its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.shortcuts import get_object_or_404

from accounts.audit import ACTIONS
from accounts.models import AuditEvent
from classifier import accession
from classifier.enums import RunStatus
from classifier.models import Case, Cell, ClassificationRun, SmearImage
from classifier.querysets import CaseQuerySet

if TYPE_CHECKING:
    import uuid

    from accounts.models import User


_MODEL_LABEL = Concat("model_version__name", Value(" "), "model_version__version")


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of a case's images were read, and how many of those in vain."""

    total: int
    succeeded: int
    failed: int

    @property
    def done(self) -> int:
        """Images that need no more waiting."""
        return self.succeeded + self.failed

    @property
    def token(self) -> str:
        """A word that changes whenever something has happened."""
        return f"{self.total}-{self.succeeded}-{self.failed}"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to a case."""

    label: str
    at: datetime
    who: str
    reason: str


def get_case(user: "User", case_id: "uuid.UUID") -> Case:
    """Return a case the user may see, with patient, specimen, people and origin; else Http404."""
    cases = Case.objects.visible_to(user).select_related(
        *("patient", "specimen", "registered_by", "submitted_by", "signed_by"),
        *("origin__registered_by", "registered_again"),
    )
    return get_object_or_404(cases, pk=case_id)


def get_image(user: "User", image_id: "uuid.UUID") -> SmearImage:
    """Return an image of a case the user may see, with case and patient; else Http404."""
    images = SmearImage.objects.filter(case__in=Case.objects.visible_to(user))
    return get_object_or_404(images.select_related("case__patient"), pk=image_id)


def find_by_accession(user: "User", text: str) -> Case | None:
    """Return the visible case whose accession number was typed or scanned, if it is one."""
    return _numbered(Case.objects.visible_to(user), text)


def find_restricted(user: "User", text: str) -> Case | None:
    """Return the case of that accession number whose record is closed to the user."""
    return _numbered(Case.objects.restricted_for(user), text)


def _numbered(cases: CaseQuerySet, text: str) -> Case | None:
    if not accession.is_well_formed(text):
        return None
    plain = text.strip().upper().replace("-", "")
    return cases.filter(accession_number=f"{plain[:4]}-{plain[4:]}").first()


def case_images(case: Case) -> QuerySet[SmearImage]:
    """Return the images with `run_status`, `run_error`, `run_model` and their cells' findings.

    `read_with` names the detector of a field, None of a single cell.
    """
    latest = ClassificationRun.objects.filter(image=OuterRef("pk")).order_by("-pk")
    return (
        SmearImage.objects.filter(case=case)
        .annotate(
            run_status=Subquery(latest.values("status")[:1]),
            run_error=Subquery(latest.values("error_message")[:1]),
            run_model=Subquery(latest.values(label=_MODEL_LABEL)[:1]),
            read_with=Concat("scan__detector_name", Value(" "), "scan__detector_version"),
        )
        .prefetch_related(
            Prefetch("cells", Cell.objects.for_review().counted(), to_attr="findings")
        )
    )


def progress_of(images: Sequence[SmearImage]) -> Progress:
    """Count what `case_images` returned."""
    statuses = [getattr(image, "run_status", None) for image in images]
    return Progress(
        total=len(statuses),
        succeeded=statuses.count(RunStatus.SUCCEEDED),
        failed=statuses.count(RunStatus.FAILED),
    )


def classifiers_of(images: Sequence[SmearImage]) -> list[str]:
    """Return names and versions of what read the images that `case_images` returned."""
    named = {getattr(image, name, "") for image in images for name in ("run_model", "read_with")}
    return sorted(name.strip() for name in named if name and name.strip())


def case_history(case: Case) -> list[HistoryEntry]:
    """Return what happened to the case, latest first, from the audit trail."""
    events = AuditEvent.objects.filter(target_type="classifier.case", target_id=str(case.pk))
    return [
        HistoryEntry(
            ACTIONS.get(event.action, event.action), event.at, event.actor_name, event.reason
        )
        for event in events.order_by("-at", "-id")
    ]
