"""Taking many fields of a slide, by the worker."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case, Laboratory, Slide, SmearImage
from classifier.services import slide_work, slides
from classifier.tasks import work_on_slides
from tests.slides import checked, take


class TestTakingMany:
    def test_the_worker_takes_what_was_asked_for(
        self, desk: Client, technician: User, slide: Slide
    ) -> None:
        desk.post(reverse("classifier:slide_ask", args=[slide.pk]), {"count": "3"})
        slide.refresh_from_db()
        assert (slide.fields_wanted, slide.fields_asked_by) == (3, technician)
        checked(slide)
        assert (slide.fields_wanted, slide.problem) == (0, "")
        assert slide.fields.count() == 3
        assert {field.uploaded_by for field in slide.fields.all()} == {technician}
        event = AuditEvent.objects.get(action="slide.fields_asked")
        assert event.after == {"slide": str(slide.pk), "fields": 3}

    def test_asking_again_takes_further_ones(self, technician: User, slide: Slide) -> None:
        for _ in range(2):
            slides.ask_for_fields(slide=slide, actor=technician, count=2)
            checked(slide)
        assert len(set(slides.taken_boxes(slide))) == 4

    def test_a_task_that_comes_twice_takes_nothing_twice(
        self, technician: User, slide: Slide
    ) -> None:
        slides.ask_for_fields(slide=slide, actor=technician, count=2)
        work_on_slides()
        work_on_slides()
        assert slide.fields.count() == 2

    def test_goes_on_after_a_worker_died_in_the_middle(
        self, technician: User, slide: Slide, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slides.ask_for_fields(slide=slide, actor=technician, count=4)
        kept: list[SmearImage] = []

        def die_after_two(*args: Any) -> SmearImage:
            if len(kept) == 2:
                raise KeyboardInterrupt
            kept.append(slides.keep_field(*args))
            return kept[-1]

        with monkeypatch.context() as patched:
            patched.setattr(slide_work, "keep_field", die_after_two)
            with pytest.raises(KeyboardInterrupt):
                work_on_slides()
        slide.refresh_from_db()
        assert (slide.fields_wanted, slide.fields.count()) == (2, 2)
        Slide.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        checked(slide)
        assert (slide.fields_wanted, len(set(slides.taken_boxes(slide)))) == (0, 4)

    def test_says_so_if_there_are_fewer(self, desk: Client, technician: User, slide: Slide) -> None:
        slides.ask_for_fields(slide=slide, actor=technician, count=100)
        checked(slide)
        found = slide.fields.count()
        assert slide.problem.startswith(f"Only {found} more fields were found")
        assert slide.problem in desk.get(slide.get_absolute_url()).content.decode()

    def test_keeps_clear_of_fields_taken_by_hand(
        self, desk: Client, technician: User, slide: Slide
    ) -> None:
        take(desk, slide, (1200, 1100, 3600, 4000))
        slides.ask_for_fields(slide=slide, actor=technician, count=100)
        checked(slide)
        (_, _, x1, _), *others = slides.taken_boxes(slide)
        assert others
        assert all(box[0] >= x1 or box[1] >= 4000 for box in others)

    def test_stops_when_the_case_is_cancelled(
        self, technician: User, case: Case, slide: Slide
    ) -> None:
        slides.ask_for_fields(slide=slide, actor=technician, count=2)
        Case.objects.filter(pk=case.pk).update(status=CaseStatus.CANCELLED)
        checked(slide)
        assert (slide.fields_wanted, slide.fields.count()) == (0, 0)
        assert "submitted" in slide.problem

    def test_is_given_up_after_several_attempts(self, technician: User, slide: Slide) -> None:
        slides.ask_for_fields(slide=slide, actor=technician, count=2)
        Slide.objects.update(attempt=slide_work.MOST_ATTEMPTS)
        checked(slide)
        assert slide.is_ready
        assert (slide.fields_wanted, slide.problem) == (0, slide_work.STOPPED)

    def test_a_number_out_of_bounds_is_refused_on_the_page(
        self, desk: Client, slide: Slide
    ) -> None:
        response = desk.post(reverse("classifier:slide_ask", args=[slide.pk]), {"count": "0"})
        assert response.status_code == 422
        assert "Ask for 1 to 200 fields" in response.content.decode()

    def test_refuses_to_be_asked_twice_or_for_nothing(
        self, technician: User, pathologist: User, slide: Slide
    ) -> None:
        with pytest.raises(NotPermitted):
            slides.ask_for_fields(slide=slide, actor=pathologist, count=2)
        with pytest.raises(GuardFailed, match="1 to 200"):
            slides.ask_for_fields(slide=slide, actor=technician, count=0)
        slides.ask_for_fields(slide=slide, actor=technician, count=2)
        with pytest.raises(GuardFailed, match="already"):
            slides.ask_for_fields(slide=slide, actor=technician, count=2)

    def test_proposes_a_number_by_the_target_of_the_laboratory(self, db: None) -> None:
        assert slides.usual_count() == 100
        Laboratory.objects.update(cell_target=200)
        assert slides.usual_count() == 200

    def test_the_page_follows_the_worker(
        self, desk: Client, technician: User, slide: Slide
    ) -> None:
        slides.ask_for_fields(slide=slide, actor=technician, count=2)
        page = desk.get(slide.get_absolute_url()).content.decode()
        seen = re.search(r"seen=([\w-]+)", page)
        assert seen
        url = reverse("classifier:slide_fields", args=[slide.pk])
        assert desk.get(url, {"seen": seen[1]}).status_code == 204
        checked(slide)
        fragment = desk.get(url, {"seen": seen[1]}).content.decode()
        assert "2 taken" in fragment
        assert "hx-get" not in fragment
