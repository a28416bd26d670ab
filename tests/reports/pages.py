"""Addresses of the pages of reports, and what was recorded when they were opened."""

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.models import Case
from reports.models import Report

ClientFor = Callable[[User], Client]


def address(name: str, case: Case, report: Report | None = None) -> str:
    if name.startswith("report_"):
        assert report is not None
        return reverse(f"reports:{name}", args=[report.pk])
    pk = case.patient_id if name == "patient_reports" else case.pk
    return reverse(f"reports:{name}", args=[pk])


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("at").values_list("action", flat=True))
