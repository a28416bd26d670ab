"""Taking one field of a slide by hand."""

from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from accounts.models import AuditEvent
from classifier.enums import CaseStatus
from classifier.models import Case, Slide, SmearImage
from ml.slides.opening import open_slide
from ml.slides.regions import read_region
from ml.types import BoundingBox
from tests.slides import BOX, take


class TestTakingOne:
    def test_a_field_is_the_pixels_of_the_slide(
        self, desk: Client, case: Case, slide: Slide, smear: Path
    ) -> None:
        answer = take(desk, slide, BOX)
        assert answer.status_code == 201
        assert answer.json()["box"] == list(BOX)
        image = SmearImage.objects.get()
        assert (image.case, image.slide, image.slide_box) == (case, slide, BOX)
        assert (image.kind, image.original_format) == ("field", "PNG")
        with open_slide(smear) as source, image.file.open("rb") as master:
            expected = read_region(source, BoundingBox(*BOX))
            assert np.array_equal(np.asarray(Image.open(master)), expected)
        after = AuditEvent.objects.get(action="image.added").after or {}
        assert (after["slide"], after["box"]) == (str(slide.pk), list(BOX))

    def test_the_same_field_is_taken_once(self, desk: Client, slide: Slide) -> None:
        take(desk, slide, BOX)
        for moved in (0, 20):
            answer = take(desk, slide, tuple(value + moved for value in BOX))
            assert (answer.status_code, answer.json()["detail"]) == (
                422,
                "This field was taken already.",
            )
        assert take(desk, slide, tuple(value + 300 for value in BOX)).status_code == 201

    @pytest.mark.parametrize(
        ("box", "word"),
        [
            ((6000, 0, 6200, 300), "beyond the edge"),
            ((300, 300, 300, 600), "beyond the edge"),
            ((0, 0, 199, 400), "at least 200 pixels"),
            ((0, 0, 6144, 5120), "at most 12 million"),
        ],
    )
    def test_refuses_what_is_no_field(
        self, desk: Client, slide: Slide, box: tuple[int, ...], word: str
    ) -> None:
        answer = take(desk, slide, box)
        assert answer.status_code == 422
        assert word in answer.json()["detail"]
        assert not SmearImage.objects.exists()

    @pytest.mark.parametrize("box", [(), (1, 2, 3), (-1, 0, 300, 300)], ids=str)
    def test_needs_a_box(self, desk: Client, slide: Slide, box: tuple[int, ...]) -> None:
        assert take(desk, slide, box).status_code == 400

    def test_only_while_the_case_is_registered(
        self, desk: Client, case: Case, slide: Slide
    ) -> None:
        Case.objects.filter(pk=case.pk).update(status=CaseStatus.IN_CLASSIFICATION)
        assert take(desk, slide, BOX).status_code == 409
        assert not SmearImage.objects.exists()
