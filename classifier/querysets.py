"""Which rows a person may see, and the recurring selections of rows."""

from datetime import date
from typing import TYPE_CHECKING, Self, cast

from django.apps import apps
from django.db import models
from django.db.models import Case as Choice
from django.db.models import Exists, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, JSONObject, Now

from classifier.care import hidden_patients
from classifier.enums import (
    OPEN_RUN_STATUSES,
    QUICK_METHODS,
    UNFINISHED,
    CaseStatus,
    DetectedKind,
    ExplanationStatus,
    Priority,
    RepeatMark,
    RunStatus,
    SlideStatus,
)

if TYPE_CHECKING:
    from uuid import UUID

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


def _is_read_blind(user: "User", *, patient: str) -> Exists:
    """Tell the patients of whom the user is just reading cells blind.

    Until that is done, nothing of their record may be seen: it holds what the machine and others
    said of the cells.
    """
    readings = apps.get_model("classifier", "ReferenceReading")._default_manager
    return Exists(readings.open().filter(reader=user, study__case__patient=OuterRef(patient)))


class PatientQuerySet(models.QuerySet):
    """Selections of patients."""

    def visible_to(self, user: "User") -> Self:
        """Return the patients whose record the user may read; restricted ones only in their care.

        The one place that says so, with its sibling for cases: pages, lists, programs and
        exports all ask one of the two.
        """
        if not user.has_perm("accounts.view_patient"):
            return self.none()
        hidden = hidden_patients(user)
        return self.not_read_blind_by(user).exclude(Q(pk__in=hidden) | Q(merged_into__in=hidden))

    def restricted_for(self, user: "User") -> Self:
        """Return the patients whose record the user could read, were it not restricted."""
        if not user.has_perm("accounts.view_patient"):
            return self.none()
        return self.not_read_blind_by(user).filter(pk__in=hidden_patients(user))

    def not_read_blind_by(self, user: "User") -> Self:
        """Leave out the patients whose cells the user is just reading blind."""
        return self.exclude(_is_read_blind(user, patient="pk"))

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

    def standing_for(self, found: "PatientQuerySet") -> Self:
        """Return the records of these that stand for what was found: found itself, or merged."""
        merged = found.exclude(merged_into=None).values("merged_into")
        return self.filter(Q(pk__in=found.values("pk")) | Q(pk__in=merged), merged_into=None)


class CaseQuerySet(models.QuerySet):
    """Selections of cases."""

    def visible_to(self, user: "User") -> Self:
        """Return the cases that the user may open.

        None of a patient whose cells the user reads blind, none of a record that is restricted
        to others.
        """
        if not user.has_perm("accounts.view_patient"):
            return self.none()
        return self.not_read_blind_by(user).exclude(patient__in=hidden_patients(user))

    def restricted_for(self, user: "User") -> Self:
        """Return the cases that the user could open, were their records not restricted."""
        if not user.has_perm("accounts.view_patient"):
            return self.none()
        return self.not_read_blind_by(user).filter(patient__in=hidden_patients(user))

    def listed_for(self, user: "User") -> Self:
        """Return the cases of the user's worklist, annotated with `is_hidden`.

        Those of restricted records are among them while somebody has to work on them; whose they
        are may not be shown.
        """
        if not user.has_perm("accounts.view_patient"):
            return self.none()
        hidden = Q(patient__in=hidden_patients(user))
        listed = self.not_read_blind_by(user).annotate(
            is_hidden=Choice(When(hidden, then=Value(value=True)), default=Value(value=False))
        )
        return listed.filter(Q(is_hidden=False) | Q(status__in=UNFINISHED))

    def not_read_blind_by(self, user: "User") -> Self:
        """Leave out the cases of patients whose cells the user is just reading blind."""
        return self.exclude(_is_read_blind(user, patient="patient_id"))

    def awaiting_review(self) -> Self:
        """Return the cases that a pathologist should open or has open."""
        return self.filter(status__in=[CaseStatus.AWAITING_REVIEW, CaseStatus.IN_REVIEW])

    def matching(self, text: str) -> Self:
        """Return cases whose accession number or patient, merged records too, matches ``text``."""
        found = self
        patients = apps.get_model("classifier", "Patient")._default_manager
        for word in text.replace(",", " ").split():
            known = patients.all().standing_for(patients.matching(word)).values("pk")
            found = found.filter(Q(accession_number__istartswith=word) | Q(patient__in=known))
        return found


class LegalHoldQuerySet(models.QuerySet):
    """Selections of legal holds."""

    def in_force(self) -> Self:
        """Return those that nobody lifted."""
        return self.filter(lifted_at=None)

    def over_patient(self, patient_id: "UUID | OuterRef") -> Self:
        """Return those on a patient's record, or on one that was merged into it."""
        return self.filter(Q(patient=patient_id) | Q(patient__merged_into=patient_id))

    def over_case(self, case_id: "UUID | OuterRef", patient_id: "UUID | OuterRef") -> Self:
        """Return those on a case, or on the record of the patient whose it is."""
        on_record = Q(patient=patient_id) | Q(patient__merged_into=patient_id)
        return self.filter(Q(case=case_id) | on_record)


class LimitQuerySet(models.QuerySet):
    """Selections of versions of the laboratory's limits."""

    def in_force(self, day: date) -> Self:
        """Return the versions that judge blood taken on ``day``.

        They are approved, or came with the laboratory; a proposal judges nothing.
        """
        return self.filter(
            Q(approved_by__isnull=False) | Q(proposed_by__isnull=True),
            Q(retired_on__isnull=True) | Q(retired_on__gt=day),
            effective_from__lte=day,
        )


class RunQuerySet(models.QuerySet):
    """Selections of classification runs."""

    def open(self) -> Self:
        """Return runs that are waiting or running."""
        return self.filter(status__in=OPEN_RUN_STATUSES)

    def claimable(self) -> Self:
        """Return runs that wait, do not rest after a fault, and whose case still wants them.

        None of a version that is stopped.
        """
        holds = apps.get_model("classifier", "ModelHold")._default_manager
        is_held = Exists(holds.filter(ended_at=None, model_version=OuterRef("model_version")))
        return self.filter(
            ~is_held,
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


class SlideQuerySet(models.QuerySet):
    """Selections of whole slides."""

    def unsettled(self) -> Self:
        """Return slides that are being uploaded, checked, or taken fields from."""
        return self.filter(
            Q(status__in=(SlideStatus.UPLOADING, SlideStatus.CHECKING)) | Q(fields_wanted__gt=0)
        )

    def waiting(self) -> Self:
        """Return slides that a worker should take up: complete, and held by none that is alive."""
        return self.filter(
            Q(status=SlideStatus.CHECKING) | Q(fields_wanted__gt=0),
            Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=Now()),
        )


class ReferenceCellQuerySet(models.QuerySet):
    """Selections of the reference library, which names no patient: every member may look at it."""

    def visible_to(self, user: "User") -> Self:
        """Return what the user may look at; retired cells for those who keep the library.

        No cell of a patient whose cells the user is just reading blind: the library says what
        class it shows. None of a record that is restricted to others.
        """
        if user.has_perm("accounts.review_case"):
            shown = self.exclude(_is_read_blind(user, patient="cell__image__case__patient"))
        else:
            shown = self.in_use() if user.is_authenticated else self.none()
        return shown.exclude(cell__image__case__patient__in=hidden_patients(user))

    def in_use(self) -> Self:
        """Return the cells that are not retired."""
        return self.filter(retired_at=None)


class ExplanationQuerySet(models.QuerySet):
    """Selections of explanations."""

    def claimable(self) -> Self:
        """Return explanations that wait and do not rest after a fault."""
        return self.filter(
            Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=Now()),
            status=ExplanationStatus.QUEUED,
        )

    def abandoned(self) -> Self:
        """Return explanations whose worker let the lease expire."""
        return self.filter(status=ExplanationStatus.RUNNING, lease_expires_at__lt=Now())

    def quickest_first(self) -> Self:
        """Sort quick maps first, then quick ones that lack their scores, then the slow methods."""
        rank = Choice(
            When(method__in=QUICK_METHODS, heat="", then=Value(0)),
            When(method__in=QUICK_METHODS, then=Value(1)),
            default=Value(2),
        )
        return self.order_by(rank, "requested_at", "pk")


class CellQuerySet(models.QuerySet):
    """Selections of cells together with what machine and human say of them."""

    def for_review(self) -> Self:
        """Return the cells that a reviewer judges: white cells, and what a human has marked.

        The red cells and platelets of a field are only counted.
        """
        marked = self._latest("corrections")
        return self.filter(Q(detected_as=DetectedKind.LEUKOCYTE) | Exists(marked))

    def with_findings(self) -> Self:
        """Annotate the latest prediction (`machine_*`) and the latest human mark (`human_*`).

        `machine_type` is the detector's word for red cells and platelets, and None where no run
        succeeded; `machine_referred` is then True. `human_type` and `human_repeat` are "" where
        no human said anything. `cut` and `removed` follow from both.
        """
        prediction, correction = self._latest("predictions"), self._latest("corrections")
        was_detected = Q(detected_as__in=(DetectedKind.ERYTHROCYTE, DetectedKind.PLATELET))
        box = JSONObject(x0="x0", y0="y0", x1="x1", y1="y1")
        return self.annotate(
            machine_type=Coalesce(
                Subquery(prediction.values("cell_type")[:1]),
                Choice(When(was_detected, then="detected_as")),
            ),
            machine_confidence=Subquery(prediction.values("confidence")[:1]),
            machine_probabilities=Subquery(prediction.values("probabilities")[:1]),
            machine_referred=Coalesce(
                Subquery(prediction.values("is_referred")[:1]),
                Choice(When(was_detected, then=Value(value=False)), default=UNREAD),
            ),
            human_type=Coalesce(Subquery(correction.values("cell_type")[:1]), Value("")),
            human_repeat=Coalesce(Subquery(correction.values("repeat_mark")[:1]), Value("")),
            human_box=Subquery(correction.values(box=box)[:1]),
            cut=Coalesce(Subquery(correction.values("at_edge")[:1]), "at_edge"),
            removed=Coalesce(Subquery(correction.values("is_removed")[:1]), Value(value=False)),
        )

    def counted(self) -> Self:
        """Return, with findings, the cells that count: whole, not removed, not seen before."""
        once = Q(repeat_of=None) & ~Q(human_repeat=RepeatMark.REPEAT)
        return self.with_findings().filter(
            once | Q(human_repeat=RepeatMark.DISTINCT), cut=False, removed=False
        )

    def unresolved(self) -> Self:
        """Return the cells that count, that the machine referred and no human has named."""
        return self.for_review().counted().filter(machine_referred=True, human_type="")

    def unconfirmed(self, cell_type: str) -> Self:
        """Return the cells that count, that the machine alone has named so, and not referred."""
        return (
            self.for_review()
            .counted()
            .filter(machine_type=cell_type, machine_referred=False, human_type="")
        )

    def _latest(self, relation: str) -> "models.QuerySet[models.Model]":
        related = cast("type[models.Model]", self.model._meta.get_field(relation).related_model)
        return related._default_manager.filter(cell=OuterRef("pk")).order_by("-pk")


class ReferenceStudyQuerySet(models.QuerySet):
    """Selections of reference counts."""

    DUTIES = ("accounts.review_case", "accounts.manage_laboratory")

    def visible_to(self, user: "User") -> Self:
        """Return the studies that the user may open: all, for readers and those who manage.

        While the user reads blind, of that patient the study being read alone: an earlier one
        shows what others called the cells. None of a record that is restricted to others.
        """
        if not any(user.has_perm(duty) for duty in self.DUTIES):
            return self.none()
        readings = apps.get_model("classifier", "ReferenceReading")._default_manager
        own = Exists(readings.open().filter(reader=user, study=OuterRef("pk")))
        shown = self.filter(own | ~_is_read_blind(user, patient="case__patient"))
        return shown.exclude(case__patient__in=hidden_patients(user))


class ReferenceReadingQuerySet(models.QuerySet):
    """Selections of readings."""

    def open(self) -> Self:
        """Return the readings that somebody is at, in studies that go on."""
        return self.filter(completed_at=None, left_at=None, study__ended_at=None)

    def standing(self) -> Self:
        """Return the readings that nobody left."""
        return self.filter(left_at=None)
