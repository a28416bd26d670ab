"""Issued reports and the signatures bound to them; neither is ever changed."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from classifier.models import Case
from classifier.models.protection import APPEND_ONLY
from reports.content import ReportContent
from reports.enums import ReauthenticationMethod, ReportStatus, SignatureMeaning
from reports.querysets import ReportQuerySet


def pdf_path(report: "Report", _file_name: str) -> str:
    """Return where the issued PDF lies; names carry ids only and are never used twice."""
    return f"reports/{report.case_id}/{report.pk}.pdf"


class Report(models.Model):
    """One numbered, signed version of a case's report; a correction is another version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    version = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=12, choices=ReportStatus.choices)
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, related_name="superseded_by", null=True
    )
    reason = models.TextField(blank=True)
    content = models.JSONField()
    content_sha256 = models.CharField(max_length=64)
    pdf = models.FileField(upload_to=pdf_path, max_length=150)
    pdf_sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField()

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["case", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["case", "version"], name="report_version_unique"),
            models.CheckConstraint(
                condition=Q(
                    version=1, status=ReportStatus.FINAL, supersedes__isnull=True, reason=""
                )
                | Q(version__gt=1, status=ReportStatus.CORRECTED, supersedes__isnull=False)
                & ~Q(reason=""),
                name="report_correction_supersedes_with_reason",
            ),
        ]
        triggers = APPEND_ONLY

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
