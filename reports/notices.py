"""What people are told of reports."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts.models import AuditEvent, User
from notifications.kinds import NoticeKind
from reports.enums import FIRST
from reports.models import Report


def _is_first(event: AuditEvent) -> bool:
    return (event.after or {}).get("status") in FIRST


def _submitter_if_first(event: AuditEvent) -> Iterable[User]:
    return User.objects.filter(pk__in=_submitters(event)) if _is_first(event) else ()


def _concerned_if_later(event: AuditEvent) -> Iterable[User]:
    """Who submitted the case, and who signed the version that was replaced."""
    if _is_first(event):
        return ()
    signed = Q(sign_offs__report__superseded_by=event.target_id)
    return User.objects.filter(Q(pk__in=_submitters(event)) | signed).distinct()


def _submitters(event: AuditEvent) -> QuerySet[Report, int | None]:
    return Report.objects.filter(pk=event.target_id).values_list("case__submitted_by", flat=True)


def _who_confirms(_event: AuditEvent) -> Iterable[User]:
    return User.objects.all().holding("manage_laboratory")


def _withdrawals(_event: AuditEvent) -> str:
    return reverse("report_administration:withdrawals")


def _report(event: AuditEvent) -> str:
    return reverse("reports:report_detail", args=[event.target_id])


KINDS = (
    NoticeKind(
        name="report.issued",
        title="A case that you submitted was signed",
        actions=("report.issued",),
        duty="submit_case",
        audience=_submitter_if_first,
        address=_report,
        in_app=False,
    ),
    NoticeKind(
        name="report.corrected",
        title="A report that you had to do with was corrected, added to or withdrawn",
        actions=("report.issued",),
        duty="view_patient",
        audience=_concerned_if_later,
        address=_report,
        by_mail=True,
    ),
    NoticeKind(
        name="report.withdrawal_requested",
        title="The withdrawal of a report waits for you",
        actions=("report.withdrawal_requested",),
        duty="manage_laboratory",
        audience=_who_confirms,
        address=_withdrawals,
        by_mail=True,
    ),
)
