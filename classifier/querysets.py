"""Which rows a person may see, and the recurring selections of rows."""

from typing import TYPE_CHECKING, Self, cast

from django.db import models
from django.db.models import Case as Choice
from django.db.models import IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now

from classifier.enums import OPEN_RUN_STATUSES, CaseStatus, Priority, RunStatus

if TYPE_CHECKING:
    from accounts.models import User

# A cell that no run has read is referred to a human as well.
UNREAD = Value(value=True)

PRIORITY_ORDER = (Priority.STAT, Priority.URGENT, Priority.ROUTINE)


def priority_rank(field: str = "priority") -> Choice:
    """Return an expression that sorts STAT before urgent before routine."""
    return Choice(
        *(When(**{field: p, "then": Value(rank)}) for rank, p in enumerate(PRIORITY_ORDER)),
        default=Value(len(PRIORITY_ORDER)),
        output_field=IntegerField(),
    )


class PatientQuerySet(models.QuerySet):
    """Selections of patients."""

    def visible_to(self, user: "User") -> Self:
        """Return the patients whose record the user may read."""
        return self if user.has_perm("accounts.view_patient") else self.none()

    def matching(self, text: str) -> Self:
        """Return patients whose MRN starts with, or whose names contain, each word of ``text``."""
        found = self
        for word in text.replace(",", " ").split():
            found = found.filter(
                Q(mrn__istartswith=word)
                | Q(family_name__icontains=word)
                | Q(given_name__icontains=word)
            )
        return found


class CaseQuerySet(models.QuerySet):
    """Selections of cases."""

    def visible_to(self, user: "User") -> Self:
        """Return the cases that the user may open."""
        return self if user.has_perm("accounts.view_patient") else self.none()

    def awaiting_review(self) -> Self:
        """Return the cases that a pathologist should open or has open."""
        return self.filter(status__in=[CaseStatus.AWAITING_REVIEW, CaseStatus.IN_REVIEW])

    def by_urgency(self) -> Self:
        """Sort STAT first, then by how long the case has waited."""
        return self.annotate(urgency=priority_rank()).order_by("urgency", "registered_at")

    def matching(self, text: str) -> Self:
        """Return cases whose accession number or patient matches ``text``."""
        found = self
        for word in text.replace(",", " ").split():
            found = found.filter(
                Q(accession_number__istartswith=word)
                | Q(patient__mrn__istartswith=word)
                | Q(patient__family_name__icontains=word)
                | Q(patient__given_name__icontains=word)
            )
        return found


class RunQuerySet(models.QuerySet):
    """Selections of classification runs."""

    def open(self) -> Self:
        """Return runs that are waiting or running."""
        return self.filter(status__in=OPEN_RUN_STATUSES)

    def claimable(self) -> Self:
        """Return runs that wait, do not rest after a fault, and whose case still wants them."""
        return self.filter(
            Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=Now()),
            status=RunStatus.QUEUED,
            image__case__status=CaseStatus.IN_CLASSIFICATION,
        )

    def abandoned(self) -> Self:
        """Return running runs whose worker let the lease expire."""
        return self.filter(status=RunStatus.RUNNING, lease_expires_at__lt=Now())

    def unwanted(self) -> Self:
        """Return open runs whose case has left classification, as it was rejected."""
        return self.open().exclude(image__case__status=CaseStatus.IN_CLASSIFICATION)

    def by_urgency(self) -> Self:
        """Sort the runs of STAT cases first, then by how long they have waited."""
        return self.order_by(priority_rank("image__case__priority"), "queued_at", "pk")


class CellQuerySet(models.QuerySet):
    """Selections of cells together with what machine and human say of them."""

    def with_findings(self) -> Self:
        """Annotate the latest prediction (`machine_*`) and human mark (`human_type`, "" if none).

        `machine_type` is None where no run succeeded; `machine_referred` is then True.
        """
        prediction = self._latest("predictions")
        correction = self._latest("corrections")
        return self.annotate(
            machine_type=Subquery(prediction.values("cell_type")[:1]),
            machine_confidence=Subquery(prediction.values("confidence")[:1]),
            machine_probabilities=Subquery(prediction.values("probabilities")[:1]),
            machine_referred=Coalesce(Subquery(prediction.values("is_referred")[:1]), UNREAD),
            human_type=Coalesce(Subquery(correction.values("cell_type")[:1]), Value("")),
        )

    def unresolved(self) -> Self:
        """Return the cells that the machine referred and no human has named."""
        return self.with_findings().filter(machine_referred=True, human_type="")

    def _latest(self, relation: str) -> "models.QuerySet[models.Model]":
        related = cast("type[models.Model]", self.model._meta.get_field(relation).related_model)
        return related._default_manager.filter(cell=OuterRef("pk")).order_by("-pk")
