"""A case with slides is submitted once their fields are taken."""

from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from classifier import guards
from classifier.exceptions import GuardFailed
from classifier.models import Case, ModelVersion, Slide
from classifier.services import cases, slides
from tests.clinical import MakeImage
from tests.slides import BOX, MakeSlide, checked, take


class TestSubmitting:
    def test_a_case_waits_for_its_slides(
        self,
        case: Case,
        technician: User,
        smear: Path,
        upload_slide: MakeSlide,
        add_picture: MakeImage,
        active_model: ModelVersion,
    ) -> None:
        add_picture(case)
        slide = upload_slide(case, smear)
        assert guards.slides_are_settled(case) == "The slide smear.svs is still being checked."
        with pytest.raises(GuardFailed):
            cases.submit_case(case_id=case.pk, actor=technician)
        Slide.objects.update(status="uploading")
        assert "not uploaded yet" in (guards.slides_are_settled(case) or "")
        Slide.objects.update(status="checking")
        checked(slide)
        assert guards.slides_are_settled(case) is None
        slides.ask_for_fields(slide=slide, actor=technician, count=1)
        assert "still being taken" in (guards.slides_are_settled(case) or "")
        checked(slide)
        assert cases.submit_case(case_id=case.pk, actor=technician).is_unfinished

    def test_a_slide_alone_is_not_enough(self, desk: Client, case: Case, slide: Slide) -> None:
        sentence = "Take fields from the slide before submitting the case."
        assert guards.has_usable_image(case) == sentence
        assert sentence in desk.get(case.get_absolute_url()).content.decode()
        take(desk, slide, BOX)
        assert guards.has_usable_image(case) is None
