"""Issued reports, their signatures and withdrawals; dismissed deltas; how reports are printed."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from classifier.models import Case
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from reports.content import ReportContent
from reports.enums import (
    FIRST,
    Paper,
    ReauthenticationMethod,
    ReportStatus,
    Section,
    SignatureMeaning,
)
from reports.querysets import ReportQuerySet
from reports.research.models import ResearchExport, ResearchKey, ResearchSubject  # noqa: F401
from reports.versions import VERSION_FOLLOWS


def pdf_path(report: "Report", _file_name: str) -> str:
    """Return where the issued PDF lies; names carry ids only and are never used twice."""
    return f"reports/{report.case_id}/{report.pk}.pdf"


def default_sections() -> list[str]:
    """Return the order in which a report is printed unless the laboratory chose another."""
    return list(Section.values)


class Report(models.Model):
    """One numbered, signed version of a case's report; a correction is another version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    version = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=16, choices=ReportStatus.choices)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, related_name="superseded_by", null=True
    )
    reason = models.TextField(blank=True)
    content = models.JSONField()
    content_sha256 = models.CharField(max_length=64)
    pdf = models.FileField(upload_to=pdf_path, max_length=150)
    pdf_sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField()
    verification_code = models.CharField(max_length=16, blank=True, editable=False)

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["case", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["case", "version"], name="report_version_unique"),
            models.UniqueConstraint(
                fields=["verification_code"],
                condition=~Q(verification_code=""),
                name="report_verification_code_unique",
            ),
            models.CheckConstraint(
                condition=Q(status__in=FIRST, reason="")
                | Q(status__in=[item for item in ReportStatus if item not in FIRST])
                & Q(version__gt=1)
                & ~Q(reason=""),
                name="report_later_version_is_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(version=1, supersedes__isnull=True)
                | Q(version__gt=1, supersedes__isnull=False),
                name="report_version_supersedes_one",
            ),
        ]
        triggers = [*APPEND_ONLY, VERSION_FOLLOWS]

    def __str__(self) -> str:
        return f"{self.case} version {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("reports:report_detail", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the report."""
        return f"report {self.case.accession_number} v{self.version}"

    @property
    def says(self) -> ReportContent:
        """The stored content as the value that was signed."""
        return ReportContent.from_json(self.content)

    @property
    def file_stem(self) -> str:
        """How a downloaded file is named: accession number and version, no patient."""
        return f"{self.case.accession_number}-v{self.version}"


class SignOff(models.Model):
    """The electronic signature of one report version; names stay as they were printed."""

    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="sign_off")
    signer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sign_offs"
    )
    signer_name = models.CharField(max_length=150)
    signer_title = models.CharField(max_length=60, blank=True)
    meaning = models.CharField(max_length=16, choices=SignatureMeaning.choices)
    signed_at = models.DateTimeField()
    draft_sha256 = models.CharField(max_length=64, help_text="what the signer previewed")
    content_sha256 = models.CharField(max_length=64)
    pdf_sha256 = models.CharField(max_length=64)
    reauthenticated_by = models.CharField(max_length=16, choices=ReauthenticationMethod.choices)
    reauthenticated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(meaning__in=SignatureMeaning.values),
                name="sign_off_meaning_known_value",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.printed_name}, {self.get_meaning_display()}"

    @property
    def printed_name(self) -> str:
        """Name and credentials at the time of signing."""
        return f"{self.signer_name}, {self.signer_title}" if self.signer_title else self.signer_name


class DeltaDismissal(models.Model):
    """A reviewer's reason why a flagged change needs no mention; holds for the value it names."""

    action_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="delta_dismissals")
    analyte = models.CharField(max_length=24)
    previous = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="+")
    value = models.DecimalField(max_digits=8, decimal_places=2)
    previous_value = models.DecimalField(max_digits=8, decimal_places=2)
    reason = models.TextField()
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    dismissed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["case", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "analyte", "previous", "value"], name="delta_dismissed_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="delta_dismissal_says_why"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.case} {self.analyte} {self.value}"


class WithdrawalRequest(models.Model):
    """A pathologist's signed word that a report was entered in error; another person decides."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="withdrawals")
    reason = models.TextField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requester_name = models.CharField(max_length=150)
    requester_title = models.CharField(max_length=60, blank=True)
    requested_at = models.DateTimeField()
    reauthenticated_by = models.CharField(max_length=16, choices=ReauthenticationMethod.choices)
    reauthenticated_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    decided_at = models.DateTimeField(null=True)
    is_confirmed = models.BooleanField(null=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["report", "requested_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="withdrawal_says_why"),
            models.CheckConstraint(
                condition=Q(decided_by=None, decided_at=None, is_confirmed=None)
                | Q(decided_by__isnull=False, decided_at__isnull=False, is_confirmed=True)
                | Q(decided_by__isnull=False, decided_at__isnull=False, is_confirmed=False)
                & ~Q(decision_reason=""),
                name="withdrawal_decided_whole",
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=F("requested_by"), is_confirmed=True),
                name="withdrawal_takes_two_people",
            ),
            models.UniqueConstraint(
                fields=["report"], condition=Q(decided_at=None), name="withdrawal_one_open"
            ),
        ]
        triggers = [
            *NEVER_DELETED,
            pgtrigger.Protect(
                name="decided_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__decided_at__isnull=False),
            ),
            pgtrigger.Protect(
                name="request_never_edited",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "report", "reason", "requested_by", "requester_name", "requester_title",
                    "requested_at", "reauthenticated_by", "reauthenticated_at",
                ),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.report}: {self.reason}"

    @property
    def requester(self) -> str:
        """Name and credentials when the withdrawal was asked for."""
        if self.requester_title:
            return f"{self.requester_name}, {self.requester_title}"
        return self.requester_name


class PrintLayout(models.Model):
    """How the laboratory prints its reports: paper, logo, footer, order; every version is kept."""

    version = models.PositiveIntegerField(primary_key=True)
    paper = models.CharField(max_length=8, choices=Paper.choices, default=Paper.A4)
    sections = models.JSONField(default=default_sections)
    footer = models.CharField(max_length=200, blank=True)
    logo = models.BinaryField(blank=True, help_text="PNG, written anew from what was uploaded")
    logo_sha256 = models.CharField(max_length=64, blank=True)
    logo_alt = models.CharField(max_length=120, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                condition=Q(paper__in=Paper.values), name="print_layout_known_paper"
            ),
            models.CheckConstraint(
                condition=Q(logo=b"", logo_sha256="", logo_alt="")
                | ~Q(logo=b"") & ~Q(logo_sha256="") & ~Q(logo_alt=""),
                name="print_layout_logo_has_words",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"layout {self.version}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls it."""
        return f"report layout v{self.version}"
