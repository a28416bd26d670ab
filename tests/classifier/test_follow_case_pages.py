"""Following a submitted case in the browser."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus, RunStatus
from classifier.models import Case, ClassificationRun, ModelVersion
from classifier.services.transitions import transition
from tests.browsing import page_of
from tests.clinical import MakeImage
from tests.reviewing import MakeCase, read_image


@pytest.fixture
def half_read_case(
    case: Case, add_picture: MakeImage, active_model: ModelVersion, technician: User
) -> Case:
    """A submitted case: one image read, one failed, one waiting."""
    read_image(add_picture(case), active_model, "lymphocyte")
    read_image(add_picture(case), active_model, "")
    ClassificationRun.objects.create(image=add_picture(case), model_version=active_model)
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.IN_CLASSIFICATION,
        submitted_by=technician,
        submitted_at=timezone.now(),
    )
    case.refresh_from_db()
    return case


class TestFollowing:
    def test_polls_in_the_background_while_unfinished(
        self, desk: Client, half_read_case: Case
    ) -> None:
        page = page_of(desk, half_read_case)
        assert 'hx-trigger="every 2s"' in page
        assert '"X-Background": "1"' in page
        assert "2 of 3 images done, 1 failed" in page
        assert "Lymphocyte" in page
        assert "fake 0.0.0" in page
        assert "The picture could not be read." in page

    def test_stops_polling_when_finished(self, desk: Client, classified_case: MakeCase) -> None:
        page = page_of(desk, classified_case(["neutrophil", "unidentified"]))
        assert "hx-trigger" not in page
        assert "Referred" in page

    def test_sends_the_fragment_only_when_something_happened(
        self, desk: Client, half_read_case: Case
    ) -> None:
        seen = re.search(r"seen=([\w-]+)", page_of(desk, half_read_case))
        assert seen
        url = reverse("classifier:case_status", args=[half_read_case.pk])
        assert desk.get(url, {"seen": seen[1]}).status_code == 204
        waiting = ClassificationRun.objects.filter(status=RunStatus.QUEUED)
        waiting.update(status=RunStatus.FAILED, error_message="Stopped.")
        fragment = desk.get(url, {"seen": seen[1]})
        assert "3 of 3 images done, 2 failed" in fragment.content.decode()
        assert "<html" not in fragment.content.decode()

    def test_offers_retry_and_manual_review_after_a_failure(
        self, desk: Client, half_read_case: Case, active_model: ModelVersion
    ) -> None:
        ClassificationRun.objects.filter(status=RunStatus.QUEUED).update(
            status=RunStatus.FAILED, error_message="Stopped."
        )
        Case.objects.update(status=CaseStatus.CLASSIFICATION_FAILED)
        page = page_of(desk, half_read_case)
        assert reverse("classifier:case_retry", args=[half_read_case.pk]) in page
        manual = reverse("classifier:case_reason", args=[half_read_case.pk, "review_manually"])
        assert manual in page
        desk.post(reverse("classifier:case_retry", args=[half_read_case.pk]))
        half_read_case.refresh_from_db()
        assert half_read_case.status == CaseStatus.IN_CLASSIFICATION
        assert ClassificationRun.objects.filter(status=RunStatus.QUEUED).count() == 2

    def test_goes_to_manual_review_with_a_reason(self, desk: Client, half_read_case: Case) -> None:
        Case.objects.update(status=CaseStatus.CLASSIFICATION_FAILED)
        url = reverse("classifier:case_reason", args=[half_read_case.pk, "review_manually"])
        desk.post(url, {"reason": "Camera artefacts"})
        half_read_case.refresh_from_db()
        assert half_read_case.status == CaseStatus.AWAITING_REVIEW

    def test_tells_the_history_of_the_case(self, desk: Client, case: Case) -> None:
        transition(
            case_id=case.pk, name="cancel", actor=User.objects.get(pk=case.registered_by_id),
            reason="Wrong patient",
        )  # fmt: skip
        page = page_of(desk, case)
        assert page.index("Case cancelled") < page.index("Case registered")
        assert "Wrong patient" in page

    def test_asks_the_database_as_often_for_many_images_as_for_few(
        self,
        desk: Client,
        classified_case: MakeCase,
        django_assert_max_num_queries: Callable,
    ) -> None:
        case = classified_case(["neutrophil"] * 12)
        page_of(desk, case)
        with django_assert_max_num_queries(26):
            page_of(desk, case)
