"""What people are told of cases and critical results."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.enums import Priority
from classifier.models import Case, ReferenceReading
from notifications.kinds import NoticeKind


def _submitter(event: AuditEvent) -> Iterable[User]:
    return User.objects.filter(pk__in=_submitters(event))


def _reviewers(event: AuditEvent) -> Iterable[User]:
    return () if _is_stat(event) else User.objects.all().holding("review_case")


def _reviewers_if_stat(event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("review_case") if _is_stat(event) else ()


def _at_the_case(event: AuditEvent) -> Iterable[User]:
    """Who submitted the case and who has it open."""
    has_it_open = Q(reviews__case=event.target_id, reviews__completed_at__isnull=True)
    return User.objects.filter(Q(pk__in=_submitters(event)) | has_it_open).distinct()


def _who_has_it_open(event: AuditEvent) -> Iterable[User]:
    """The reviewer who now sees another identity above the cells."""
    return User.objects.filter(
        reviews__case=event.target_id, reviews__completed_at__isnull=True
    ).distinct()


def _callers(event: AuditEvent) -> Iterable[User]:
    """Whoever may call, but for those who just read the patient's cells blind."""
    readings = ReferenceReading.objects.open().filter(study__case__patient=event.patient_id)
    return User.objects.all().holding("record_callback").exclude(pk__in=readings.values("reader"))


def _submitters(event: AuditEvent) -> QuerySet[Case, int | None]:
    return Case.objects.filter(pk=event.target_id).values_list("submitted_by", flat=True)


def _is_stat(event: AuditEvent) -> bool:
    return Case.objects.filter(pk=event.target_id, priority=Priority.STAT).exists()


def _signer_if_late(event: AuditEvent) -> Iterable[User]:
    """Who signed the report that results came too late for."""
    if not (event.after or {}).get("after_signing"):
        return ()
    signed = Case.objects.filter(pk=event.target_id).values("signed_by")
    return User.objects.filter(pk__in=signed)


def _case(event: AuditEvent) -> str:
    return reverse("classifier:case_detail", args=[event.target_id])


def _who_protects_records(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("protect_patients")


def _emergency(event: AuditEvent) -> str:
    return reverse("classifier:emergency", args=[event.target_id])


def _restriction(event: AuditEvent) -> str:
    return reverse("classifier:restriction", args=[event.target_id])


def _who_keeps_records(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_retention")


def _legal_hold(event: AuditEvent) -> str:
    return reverse("classifier:legal_hold", args=[event.target_id])


READY = ("case.complete_classification", "case.review_manually")

KINDS = (
    NoticeKind(
        name="critical.escalated",
        title="A critical result was told nobody in time",
        actions=("critical.escalated",),
        duty="record_callback",
        audience=_callers,
        address=_case,
        by_mail=True,
        is_urgent=True,
    ),
    NoticeKind(
        name="critical.raised",
        title="A critical result was found in a case of yours",
        actions=("critical.raised",),
        duty="record_callback",
        audience=_at_the_case,
        address=_case,
    ),
    NoticeKind(
        name="case.stat_waiting",
        title="A stat case waits for review",
        actions=READY,
        duty="review_case",
        audience=_reviewers_if_stat,
        address=_case,
    ),
    NoticeKind(
        name="case.waiting",
        title="A case waits for review",
        actions=READY,
        duty="review_case",
        audience=_reviewers,
        address=_case,
        in_app=False,
    ),
    NoticeKind(
        name="case.returned",
        title="A case came back to you",
        actions=("case.return_to_technician",),
        duty="submit_case",
        audience=_submitter,
        address=_case,
        by_mail=True,
    ),
    NoticeKind(
        name="case.failed",
        title="Images of a case of yours could not be read",
        actions=("case.fail_classification",),
        duty="submit_case",
        audience=_submitter,
        address=_case,
        by_mail=True,
    ),
    NoticeKind(
        name="case.rejected",
        title="The specimen of a case of yours was rejected",
        actions=("case.reject",),
        duty="submit_case",
        audience=_submitter,
        address=_case,
    ),
    NoticeKind(
        name="case.patient_changed",
        title="The patient of a case that you have open was changed",
        actions=("case.merged", "case.unmerged", "case.patient_corrected"),
        duty="review_case",
        audience=_who_has_it_open,
        address=_case,
        by_mail=True,
    ),
    NoticeKind(
        name="case.late_results",
        title="Analyser results came after a report of yours was signed",
        actions=("case.results_added",),
        duty="review_case",
        audience=_signer_if_late,
        address=_case,
        by_mail=True,
    ),
    NoticeKind(
        name="emergency.opened",
        title="A restricted record was opened in an emergency",
        actions=("patient.break_glass",),
        duty="protect_patients",
        audience=_who_protects_records,
        address=_emergency,
        by_mail=True,
        is_urgent=True,
    ),
    NoticeKind(
        name="emergency.overdue",
        title="An emergency access was not judged in time",
        actions=("restricted_access.overdue",),
        duty="protect_patients",
        audience=_who_protects_records,
        address=_emergency,
        by_mail=True,
    ),
    NoticeKind(
        name="restriction.lifted",
        title="The restriction of a record was lifted",
        actions=("patient.restriction_lifted",),
        duty="protect_patients",
        audience=_who_protects_records,
        address=_restriction,
        by_mail=True,
    ),
    NoticeKind(
        name="legal_hold.changed",
        title="A legal hold was put or lifted",
        actions=("legal_hold.put", "legal_hold.lifted"),
        duty="manage_retention",
        audience=_who_keeps_records,
        address=_legal_hold,
        by_mail=True,
    ),
)
