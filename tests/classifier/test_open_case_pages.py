"""Opening a case in the browser."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classifier.enums import Priority
from classifier.models import Case, Patient


def typed_case(**changes: str) -> dict[str, str]:
    now = timezone.now()
    moment = "%Y-%m-%dT%H:%M"
    return {
        "priority": "stat",
        "ordering_clinician": "Dr Ada Okafor",
        "clinical_details": "Fever",
        "specimen_type": "edta_blood",
        "stain": "wright_giemsa",
        "condition": "satisfactory",
        "collected_at": (now - timedelta(hours=2)).strftime(moment),
        "received_at": (now - timedelta(hours=1)).strftime(moment),
        "wbc_count": "7.2",
        "wbc_measured_at": (now - timedelta(minutes=30)).strftime(moment),
    } | changes


def in_hours(hours: int) -> str:
    return (timezone.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


class TestOpening:
    def test_opens_a_case(self, desk: Client, patient: Patient) -> None:
        response = desk.post(reverse("classifier:case_new", args=[patient.pk]), typed_case())
        case = Case.objects.get()
        assert response["Location"] == case.get_absolute_url()
        assert (case.priority, str(case.wbc_count)) == (Priority.STAT, "7.20")
        assert case.specimen.stain == "wright_giemsa"

    def test_needs_no_wbc_count(self, desk: Client, patient: Patient) -> None:
        typed = typed_case(wbc_count="", wbc_measured_at="")
        desk.post(reverse("classifier:case_new", args=[patient.pk]), typed)
        assert Case.objects.get().wbc_count is None

    @pytest.mark.parametrize(
        ("changes", "form", "field"),
        [
            ({"collected_at": in_hours(1)}, "specimen_form", "collected_at"),
            ({"received_at": in_hours(1)}, "specimen_form", "received_at"),
            ({"received_at": in_hours(-3)}, "specimen_form", "received_at"),
            ({"received_at": ""}, "specimen_form", "received_at"),
            ({"stain": "ink"}, "specimen_form", "stain"),
            ({"priority": "soon"}, "order_form", "priority"),
            ({"wbc_count": "-1"}, "order_form", "wbc_count"),
            ({"wbc_count": "1001"}, "order_form", "wbc_count"),
            ({"wbc_count": ""}, "order_form", "wbc_count"),
            ({"wbc_measured_at": ""}, "order_form", "wbc_measured_at"),
            ({"wbc_measured_at": in_hours(1)}, "order_form", "wbc_measured_at"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, desk: Client, patient: Patient, changes: dict[str, str], form: str, field: str
    ) -> None:
        url = reverse("classifier:case_new", args=[patient.pk])
        response = desk.post(url, typed_case(**changes))
        assert response.status_code == 422
        assert list(response.context[form].errors) == [field]
        assert not Case.objects.exists()

    def test_shows_what_only_the_service_knows(self, desk: Client, patient: Patient) -> None:
        Patient.objects.filter(pk=patient.pk).update(birth_date=timezone.localdate())
        typed = typed_case(collected_at=in_hours(-48), received_at=in_hours(-47))
        response = desk.post(reverse("classifier:case_new", args=[patient.pk]), typed)
        assert "before the patient&#x27;s birth" in response.content.decode()
