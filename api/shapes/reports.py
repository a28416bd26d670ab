"""Issued reports, out; none comes in: signing needs its signer's password."""

from typing import Any

from rest_framework import serializers

from api.shapes.strict import Id
from reports.enums import ReportStatus


class ReportShape(serializers.Serializer[Any]):
    """One signed version of a case's report; `superseded_by` is the version that replaced it."""

    id = Id()
    case = Id(source="case_id")
    accession_number = serializers.CharField(source="case.accession_number")
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=ReportStatus.choices)
    reason = serializers.CharField(allow_blank=True)
    issued_at = serializers.DateTimeField()
    signed_by = serializers.CharField(source="sign_off.printed_name")
    content_sha256 = serializers.CharField()
    pdf_sha256 = serializers.CharField()
    is_current = serializers.SerializerMethodField()

    def get_is_current(self, report: Any) -> bool:
        """True unless a later version supersedes it."""
        return not hasattr(report, "superseded_by")


class ReportList(serializers.Serializer[Any]):
    """All versions of a case's report, the latest first."""

    results = ReportShape(many=True)
