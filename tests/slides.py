"""Fixtures: a drawn slide, uploaded through the product's own services and checked by a worker."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from accounts.models import User
from benchmarks.drawn_slides import Plan, write_tiff
from classifier.models import Case, Slide
from classifier.services import slide_uploads, slide_work
from classifier.services.slide_uploads import OfferedFile
from vault.stores import the_store

MakeSlide = Callable[..., Slide]

SMEAR: Plan = ["......", ".tmmmT", ".tmmmT", ".tmmmT", "......"]
BOX = (2100, 1100, 2620, 1500)
"""A field in the monolayer of `SMEAR`."""


@pytest.fixture(scope="session")
def smear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a slide with a monolayer of three by three blocks."""
    path = tmp_path_factory.mktemp("smear") / "smear.svs"
    write_tiff(path, SMEAR)
    return path


def offer(*paths: Path) -> list[OfferedFile]:
    return [OfferedFile(path.name, path.stat().st_size, 0) for path in paths]


def send_file(slide: Slide, number: int, data: bytes, actor: User, part: int = 1_000_000) -> None:
    """Send a file as the page does, part by part."""
    for offset in range(0, len(data), part):
        slide_uploads.append_part(
            slide=slide,
            number=number,
            offset=offset,
            data=data[offset : offset + part],
            actor=actor,
        )


@pytest.fixture
def upload_slide(technician: User) -> MakeSlide:
    """Upload the files of a slide; nobody has checked it yet."""

    def upload(case: Case, *paths: Path) -> Slide:
        slide = slide_uploads.start_upload(case_id=case.pk, actor=technician, files=offer(*paths))
        contents = sorted((path.read_bytes() for path in paths), key=len, reverse=True)
        for number, data in enumerate(contents):
            send_file(slide, number, data, technician)
        slide.refresh_from_db()
        return slide

    return upload


@pytest.fixture
def slide(case: Case, smear: Path, upload_slide: MakeSlide) -> Slide:
    """A checked slide of a registered case."""
    return checked(upload_slide(case, smear))


def read_whole(slide: Slide) -> bytes:
    """What the slide's files hold, one after the other."""
    whole = b""
    for piece in (name for pieces in slide.stored_files() for name in pieces):
        with default_storage.open(piece) as file:
            whole += file.read()
    return whole


def is_stored(slide: Slide) -> bool:
    """Whether anything of the slide's files is left."""
    return any(the_store().walk(slide.folder))


def checked(slide: Slide) -> Slide:
    slide_work.work_on_next_slide()
    slide.refresh_from_db()
    return slide


def take(desk: Client, slide: Slide, box: tuple[int, ...]):  # type: ignore[no-untyped-def]
    url = reverse("classifier:slide_take", args=[slide.pk])
    return desk.post(url, {"box": box}, content_type="application/json")
