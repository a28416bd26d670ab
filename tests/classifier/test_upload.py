"""Sending images to a case: one a request, or many from a plain form; reading them back."""

import io
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import Settings

from accounts.models import User
from classifier.enums import CaseStatus, ImageKind
from classifier.models import Case, SmearImage
from ml.synthetic import render_field
from tests.clinical import MakeImage, picture_bytes
from tests.fields import as_png

SignIn = Callable[[User], Client]


@pytest.fixture
def desk(technician: User, client_for: SignIn) -> Client:
    """A technician's browser."""
    return client_for(technician)


def file_of(data: bytes, name: str = "cell.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def send(desk: Client, case: Case, data: bytes, name: str = "cell.png", **more: str):  # type: ignore[no-untyped-def]
    url = reverse("classifier:case_images_upload", args=[case.pk])
    return desk.post(url, {"file": file_of(data, name), **more})


def saved(picture: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def picture(seed: int = 0) -> Image.Image:
    return Image.open(io.BytesIO(picture_bytes(seed))).convert("RGB")


def decompression_bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def sixteen_bit() -> bytes:
    values = np.random.default_rng(0).integers(0, 65535, (64, 64), dtype=np.uint16)
    return saved(Image.fromarray(values), "PNG")


GOOD_FILES = {
    "jpeg": lambda: saved(picture(), "JPEG"),
    "png": lambda: picture_bytes(1),
    "tiff": lambda: saved(picture(), "TIFF"),
    "bmp": lambda: saved(picture(), "BMP"),
    "webp": lambda: saved(picture(), "WEBP"),
    "cmyk": lambda: saved(picture().convert("CMYK"), "JPEG"),
    "alpha": lambda: saved(picture().convert("RGBA"), "PNG"),
    "sixteen bit": sixteen_bit,
    "png named jpg": lambda: picture_bytes(2),
}

BAD_FILES = {
    "empty": (lambda: b"", "empty"),
    "not an image": (lambda: b"hello " * 100, "not an image"),
    "truncated": (lambda: saved(picture(), "JPEG")[:700], "damaged"),
    "bomb": (decompression_bomb, "million pixels"),
    "animated": (
        lambda: saved(picture(), "PNG", save_all=True, append_images=[picture(1)]),
        "frames",
    ),
    "gif": (lambda: saved(picture(), "GIF"), "GIF"),
}


@pytest.mark.parametrize("make", GOOD_FILES.values(), ids=GOOD_FILES)
def test_takes_what_a_laboratory_has(desk: Client, case: Case, make: Callable[[], bytes]) -> None:
    response = send(desk, case, make(), "photo.jpg")
    assert response.status_code == 201, response.json()
    image = SmearImage.objects.get()
    answer = response.json()
    assert answer["id"] == str(image.pk)
    assert answer["name"] == "photo.jpg"
    assert answer["kind"] == image.kind


@pytest.mark.parametrize(("make", "word"), BAD_FILES.values(), ids=BAD_FILES)
def test_says_what_is_wrong_with_a_file(
    desk: Client, case: Case, make: Callable[[], bytes], word: str
) -> None:
    response = send(desk, case, make())
    assert response.status_code == 422
    assert word in response.json()["detail"]
    assert response.json()["code"]
    assert not SmearImage.objects.exists()


def test_names_the_twin_of_a_duplicate(desk: Client, case: Case) -> None:
    send(desk, case, picture_bytes(1), "first.png")
    response = send(desk, case, picture_bytes(1), "second.png")
    assert response.status_code == 422
    assert response.json()["code"] == "duplicate"
    assert "first.png" in response.json()["detail"]


def test_the_sender_may_overrule_the_kind(desk: Client, case: Case) -> None:
    assert send(desk, case, picture_bytes(1), kind="field").json()["kind"] == "field"


def test_refuses_a_file_over_the_limit(
    desk: Client,
    case: Case,
    settings: Settings,
) -> None:
    settings.MAX_UPLOAD_BYTES = 2000
    response = send(desk, case, picture_bytes(1))
    assert response.status_code == 413
    assert response.json()["code"] == "too_large"


def test_refuses_a_body_over_the_limit_by_its_declared_length(
    desk: Client,
    case: Case,
    settings: Settings,
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    response = send(desk, case, bytes(100_000))
    assert response.status_code == 413


def test_needs_a_file(desk: Client, case: Case) -> None:
    response = desk.post(reverse("classifier:case_images_upload", args=[case.pk]))
    assert (response.status_code, response.json()["code"]) == (400, "no_file")


def test_refuses_more_images_once_the_case_is_submitted(desk: Client, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.IN_CLASSIFICATION)
    response = send(desk, case, picture_bytes(1))
    assert (response.status_code, response.json()["code"]) == (409, "closed")


def test_needs_the_token_of_the_page(technician: User, case: Case) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(technician, backend="django.contrib.auth.backends.ModelBackend")
    assert send(strict, case, picture_bytes(1)).status_code == 403
    assert not SmearImage.objects.exists()


def test_a_plain_form_keeps_the_good_files_and_names_the_bad(desk: Client, case: Case) -> None:
    files = [
        file_of(picture_bytes(1), "good1.png"),
        file_of(b"", "empty.png"),
        file_of(b"nonsense" * 20, "text.jpg"),
        file_of(picture_bytes(2), "good2.png"),
        file_of(picture_bytes(1), "again.png"),
    ]
    url = reverse("classifier:case_images_add", args=[case.pk])
    page = desk.post(url, {"images": files}, follow=True).content.decode()
    assert sorted(case.images.values_list("original_name", flat=True)) == ["good1.png", "good2.png"]
    assert "2 images were added" in page
    for name in ("empty.png: ", "text.jpg: ", "again.png: "):
        assert name in page


def test_a_plain_form_without_files_says_so(desk: Client, case: Case) -> None:
    url = reverse("classifier:case_images_add", args=[case.pk])
    assert "Choose at least one image" in desk.post(url, follow=True).content.decode()


def test_changes_the_kind(desk: Client, case: Case, add_picture: MakeImage) -> None:
    image = add_picture(case)
    url = reverse("classifier:image_kind", args=[image.pk])
    fragment = desk.post(url, {"kind": "field"}, headers={"HX-Request": "true"})
    assert "It is one cell" in fragment.content.decode()
    assert "<html" not in fragment.content.decode()
    image.refresh_from_db()
    assert image.kind == ImageKind.FIELD
    assert desk.post(url, {"kind": "slide"})["Location"] == case.get_absolute_url()


def test_removes_an_image_before_submission(
    desk: Client, case: Case, add_picture: MakeImage
) -> None:
    image = add_picture(case)
    desk.post(reverse("classifier:image_remove", args=[image.pk]))
    assert not SmearImage.objects.exists()


def test_removes_nothing_after_submission(desk: Client, case: Case, add_picture: MakeImage) -> None:
    image = add_picture(case)
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.IN_CLASSIFICATION)
    page = desk.post(reverse("classifier:image_remove", args=[image.pk]), follow=True)
    assert "can&#x27;t be changed any more" in page.content.decode()
    assert SmearImage.objects.exists()


@pytest.mark.parametrize(
    ("name", "content_type"), [("image", "image/png"), ("thumbnail", "image/webp")]
)
def test_image_bytes_stay_private(
    desk: Client, case: Case, add_picture: MakeImage, name: str, content_type: str
) -> None:
    response = desk.get(reverse(f"classifier:{name}", args=[add_picture(case).pk]))
    assert response["Content-Type"] == content_type
    assert response["Cache-Control"] == "private, max-age=3600"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert Image.open(io.BytesIO(response.getvalue())).size == (64, 64)


def test_no_url_serves_the_media_folder(desk: Client, case: Case, add_picture: MakeImage) -> None:
    image = add_picture(case)
    for path in (f"/media/{image.file.name}", f"/{image.file.name}", f"/static/{image.file.name}"):
        assert desk.get(path).status_code == 404


def test_tells_at_once_that_a_field_should_be_taken_again(desk: Client, case: Case) -> None:
    sharp = render_field(3, 640, 480, cells=3, red_cell=80)
    blurred = as_png(np.asarray(cv2.GaussianBlur(sharp, (0, 0), 9), dtype=np.uint8))
    answer = send(desk, case, blurred, "field.png", kind="field").json()
    assert answer["advice"] == ["Out of focus: focus again and take another picture."]
    page = desk.get(case.get_absolute_url()).content.decode()
    assert "1 field should be taken again" in page
    assert "Out of focus: focus again" in page
    url = reverse("classifier:image_kind", args=[answer["id"]])
    assert "Out of focus" not in desk.post(url, {"kind": "cell"}, follow=True).content.decode()
    assert "Out of focus" in desk.post(url, {"kind": "field"}, follow=True).content.decode()
