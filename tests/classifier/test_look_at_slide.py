"""Looking at a slide, tile by tile."""

import io
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import AuditEvent, User
from classifier.models import Case, Slide
from tests.browsing import SignIn
from tests.slides import BOX, MakeSlide, take
from vault.storage import delete_folder


def tile(desk: Client, slide: Slide, level: int, column: int, row: int):  # type: ignore[no-untyped-def]
    return desk.get(reverse("classifier:slide_tile", args=[slide.pk, level, column, row]))


class TestLooking:
    def test_the_page_shows_what_is_known(self, desk: Client, slide: Slide) -> None:
        page = desk.get(slide.get_absolute_url()).content.decode()
        for text in ("smear.svs", "5120 pixels", "0.25 µm a pixel", "100 µm each"):
            assert text in page
        assert AuditEvent.objects.filter(action="patient.viewed").count() == 1

    def test_a_tile_is_for_this_browser_alone(self, desk: Client, slide: Slide) -> None:
        response = tile(desk, slide, 13, 8, 6)
        assert response["Content-Type"] == "image/jpeg"
        assert response["Cache-Control"] == "private, max-age=3600"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert Image.open(io.BytesIO(response.content)).size == (256, 256)

    @pytest.mark.parametrize("place", [(14, 0, 0), (13, 99, 0), (13, 0, 99)], ids=str)
    def test_there_are_no_other_tiles(
        self, desk: Client, slide: Slide, place: tuple[int, int, int]
    ) -> None:
        assert tile(desk, slide, *place).status_code == 404

    def test_a_slide_that_is_not_checked_shows_nothing(
        self, desk: Client, case: Case, smear: Path, upload_slide: MakeSlide
    ) -> None:
        slide = upload_slide(case, smear)
        assert tile(desk, slide, 9, 0, 0).status_code == 404
        assert desk.get(slide.get_absolute_url())["Location"] == case.get_absolute_url()
        thumbnail = reverse("classifier:slide_thumbnail", args=[slide.pk])
        assert desk.get(thumbnail).status_code == 404
        assert take(desk, slide, BOX).status_code == 422

    def test_a_file_that_is_gone_gives_no_tile(self, desk: Client, slide: Slide) -> None:
        delete_folder(slide.folder)
        assert tile(desk, slide, 9, 0, 0).status_code == 404
        assert "can't be read now" in take(desk, slide, BOX).json()["detail"]

    def test_the_file_itself_is_at_no_address(self, desk: Client, slide: Slide) -> None:
        name = slide.stored_files()[0][0]
        assert default_storage.exists(name)
        for path in (f"/media/{name}", f"/{name}", f"/static/{name}", f"/slides/{slide.pk}/0"):
            assert desk.get(path).status_code == 404

    def test_a_pathologist_looks_but_takes_nothing(
        self, client_for: SignIn, pathologist: User, slide: Slide
    ) -> None:
        reader = client_for(pathologist)
        page = reader.get(slide.get_absolute_url()).content.decode()
        assert "data-take" not in page
        assert "Take fields" not in page
        assert take(reader, slide, BOX).status_code == 403
