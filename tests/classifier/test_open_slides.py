"""The slides that this process holds open, and that nothing plain of them lies on a disk."""

import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import User
from classifier import slide_files
from classifier.models import Slide
from classifier.services import cases
from ml.errors import SlideRejected
from tests.clinical import recent_specimen
from tests.slides import MakeSlide, checked


class TestOpenSlides:
    def test_a_slide_is_opened_once(self, slide: Slide) -> None:
        with slide_files.opened(slide) as first, slide_files.opened(slide) as second:
            assert first is second
        slide_files.forget(slide.pk)
        with slide_files.opened(slide) as third:
            assert third is not first
        slide_files.forget(slide.pk)

    @pytest.mark.parametrize("limit", ["MOST_OPEN", "SLIDE_MEMORY_BYTES"])
    def test_the_one_used_longest_ago_is_let_go(
        self,
        slide: Slide,
        technician: User,
        smear: Path,
        upload_slide: MakeSlide,
        monkeypatch: pytest.MonkeyPatch,
        limit: str,
    ) -> None:
        case = cases.open_case(
            actor=technician,
            patient=slide.case.patient,
            order=cases.OrderDetails(),
            specimen=recent_specimen(),
        )
        other = checked(upload_slide(case, smear))
        monkeypatch.setattr(slide_files if limit == "MOST_OPEN" else settings, limit, 1)
        with slide_files.opened(slide) as first:
            with slide_files.opened(other):
                pass
            first.read(0, 0, 0, 16, 16)
        with slide_files.opened(slide) as again:
            assert again is not first
        slide_files.forget(slide.pk)

    def test_a_slide_that_failed_is_opened_anew(self, slide: Slide) -> None:
        with pytest.raises(SlideRejected), slide_files.opened(slide) as first:
            raise SlideRejected("damaged", "Damaged.")
        with slide_files.opened(slide) as second:
            assert second is not first
        slide_files.forget(slide.pk)

    def test_a_plain_slide_is_in_memory_alone_and_goes_with_its_reader(self, slide: Slide) -> None:
        def folders() -> list[Path]:
            return list(Path(tempfile.gettempdir()).glob("hematovision-slide-*"))

        before = folders()
        with slide_files.opened(slide):
            (folder,) = [each for each in folders() if each not in before]
            (link,) = folder.iterdir()
            assert str(link.readlink()).startswith("/proc/self/fd/")
            assert "memfd:" in str(Path(link.readlink()).readlink())
        slide_files.forget(slide.pk)
        assert folders() == before
