"""The slides of a case on its page."""

import re
from pathlib import Path

from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case, Slide
from classifier.services import slide_uploads
from tests.browsing import SignIn
from tests.slides import BOX, MakeSlide, checked, take


class TestCasePage:
    def test_lists_slides_above_the_images(self, desk: Client, case: Case, slide: Slide) -> None:
        take(desk, slide, BOX)
        page = desk.get(case.get_absolute_url()).content.decode()
        assert page.index("slide-row") < page.index('class="tiles"')
        assert "1 field taken" in page
        assert "Remove smear.svs and the 1 field taken from it?" in page
        assert "hx-trigger" not in page

    def test_says_how_much_has_arrived(self, desk: Client, case: Case, technician: User) -> None:
        files = [slide_uploads.OfferedFile(f"{number}.dcm", 3072, 0) for number in range(2)]
        slide = slide_uploads.start_upload(case_id=case.pk, actor=technician, files=files)
        for number in range(2):
            slide_uploads.append_part(
                slide=slide, number=number, offset=0, data=bytes(1024), actor=technician
            )
        page = desk.get(case.get_absolute_url()).content.decode().replace("\xa0", " ")
        assert "2.0 KB of 6.0 KB arrived" in page

    def test_says_why_a_slide_was_refused(
        self, desk: Client, case: Case, tmp_path: Path, upload_slide: MakeSlide
    ) -> None:
        path = tmp_path / "notes.ndpi"
        path.write_bytes(b"hello" * 100)
        slide = checked(upload_slide(case, path))
        assert slide.problem in desk.get(case.get_absolute_url()).content.decode()

    def test_follows_a_slide_that_is_checked(
        self, desk: Client, case: Case, smear: Path, upload_slide: MakeSlide
    ) -> None:
        slide = upload_slide(case, smear)
        page = desk.get(case.get_absolute_url()).content.decode()
        seen = re.search(r"slides/\?seen=([\w.-]+)", page)
        assert seen
        url = reverse("classifier:case_slides", args=[case.pk])
        assert desk.get(url, {"seen": seen[1]}).status_code == 204
        checked(slide)
        fragment = desk.get(url, {"seen": seen[1]}).content.decode()
        assert "No field taken yet" in fragment
        assert "<html" not in fragment

    def test_still_shows_the_slide_after_submission(
        self, client_for: SignIn, pathologist: User, case: Case, slide: Slide
    ) -> None:
        Case.objects.filter(pk=case.pk).update(status=CaseStatus.AWAITING_REVIEW)
        page = client_for(pathologist).get(case.get_absolute_url()).content.decode()
        assert slide.get_absolute_url() in page
        assert reverse("classifier:slide_remove", args=[slide.pk]) not in page
