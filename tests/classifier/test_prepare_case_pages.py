"""Preparing a case in the browser, up to its submission or its early end."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.models import Case, ModelVersion
from classifier.services.transitions import transition
from tests.browsing import page_of
from tests.clinical import MakeImage
from tests.reviewing import MakeCase


class TestPreparing:
    def test_cannot_be_submitted_without_an_image(self, desk: Client, case: Case) -> None:
        page = page_of(desk, case)
        assert "Upload at least one image" in page
        assert re.search(r'id="submit-case"[^>]*disabled', page)
        response = desk.post(reverse("classifier:case_submit", args=[case.pk]), follow=True)
        assert "Upload at least one image" in response.content.decode()
        case.refresh_from_db()
        assert case.status == CaseStatus.REGISTERED

    def test_is_submitted(
        self, desk: Client, case: Case, add_picture: MakeImage, active_model: ModelVersion
    ) -> None:
        add_picture(case)
        assert not re.search(r'id="submit-case"[^>]*disabled', page_of(desk, case))
        desk.post(reverse("classifier:case_submit", args=[case.pk]))
        case.refresh_from_db()
        assert case.status == CaseStatus.IN_CLASSIFICATION

    def test_reading_a_case_is_recorded(self, desk: Client, case: Case) -> None:
        page_of(desk, case)
        assert AuditEvent.objects.filter(action="patient.viewed").count() == 1

    def test_shows_why_it_was_returned(
        self, desk: Client, pathologist: User, classified_case: MakeCase
    ) -> None:
        case = classified_case(["neutrophil"], in_review=True)
        transition(
            case_id=case.pk, name="return_to_technician", actor=pathologist, reason="Too few cells"
        )
        page = page_of(desk, case)
        assert "Returned by the pathologist" in page
        assert "Too few cells" in page
        assert "Classified before" in page

    @pytest.mark.parametrize(
        ("name", "status"),
        [("reject", CaseStatus.REJECTED), ("cancel", CaseStatus.CANCELLED)],
    )
    def test_ends_with_a_reason(self, desk: Client, case: Case, name: str, status: str) -> None:
        url = reverse("classifier:case_reason", args=[case.pk, name])
        assert desk.get(url).status_code == 200
        assert desk.post(url, {"reason": "  "}).status_code == 200
        case.refresh_from_db()
        assert case.status == CaseStatus.REGISTERED
        desk.post(url, {"reason": "Clotted throughout"})
        case.refresh_from_db()
        assert (case.status, case.status_reason) == (status, "Clotted throughout")
        assert "Clotted throughout" in page_of(desk, case)

    def test_knows_no_other_reason_page(self, desk: Client, case: Case) -> None:
        url = reverse("classifier:case_reason", args=[case.pk, "sign_off"])
        assert desk.get(url).status_code == 404
        assert desk.post(url, {"reason": "x"}).status_code == 404

    def test_does_not_ask_for_the_reason_of_an_impossible_move(
        self, desk: Client, case: Case
    ) -> None:
        url = reverse("classifier:case_reason", args=[case.pk, "review_manually"])
        assert desk.get(url).status_code == 403
        assert "not possible now" in desk.post(url, {"reason": "x"}, follow=True).content.decode()
