"""Removing a slide and its fields."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import TransitionRefused
from classifier.models import Case, ClassificationRun, ModelVersion, Slide, SmearImage
from classifier.services import slides
from tests.slides import BOX, is_stored, take

Captured = Callable[..., Any]


class TestRemoving:
    def test_takes_its_fields_along(
        self, desk: Client, slide: Slide, django_capture_on_commit_callbacks: Captured
    ) -> None:
        take(desk, slide, BOX)
        image = SmearImage.objects.get()
        with django_capture_on_commit_callbacks(execute=True):
            desk.post(reverse("classifier:slide_remove", args=[slide.pk]))
        assert not SmearImage.objects.exists()
        assert not Slide.objects.exists()
        assert not is_stored(slide)
        assert not image.file.storage.exists(str(image.file.name))
        assert not slide.thumbnail.storage.exists(str(slide.thumbnail.name))
        before = AuditEvent.objects.get(action="slide.removed").before or {}
        assert (before["fields"], before["sha256"]) == (1, slide.original_sha256)
        assert AuditEvent.objects.get(action="image.removed").reason == "Removed with its slide."

    def test_not_once_a_field_was_classified(
        self, desk: Client, technician: User, slide: Slide, active_model: ModelVersion
    ) -> None:
        take(desk, slide, BOX)
        ClassificationRun.objects.create(image=SmearImage.objects.get(), model_version=active_model)
        with pytest.raises(TransitionRefused, match="classified already"):
            slides.remove_slide(slide=slide, actor=technician)

    def test_not_after_submission(self, technician: User, case: Case, slide: Slide) -> None:
        Case.objects.filter(pk=case.pk).update(status=CaseStatus.AWAITING_REVIEW)
        with pytest.raises(TransitionRefused):
            slides.remove_slide(slide=slide, actor=technician)
