"""Taking pictures into a case: what is kept, what is stripped, what is refused."""

import hashlib
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from accounts.models import AuditEvent, User
from classifier.exceptions import ImageRefused, NotPermitted, TransitionRefused
from classifier.models import Case, SmearImage
from classifier.services.images import add_image, remove_image, set_kind
from classifier.services.transitions import transition
from tests.clinical import MakeImage, picture_bytes

CaptureOnCommit = Callable[..., AbstractContextManager[list[Callable[[], Any]]]]


def jpeg_with_gps() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Camera maker"
    exif.get_ifd(0x8825)[1] = "N"
    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(picture_bytes(5)))
    picture.save(buffer, format="JPEG", exif=exif)
    return buffer.getvalue()


def stored_files() -> list[str]:
    try:
        folders, _ = default_storage.listdir("images")
    except FileNotFoundError:
        return []
    return [name for folder in folders for name in default_storage.listdir(f"images/{folder}")[1]]


def test_keeps_the_hash_of_the_original_and_none_of_its_metadata(
    technician: User, case: Case
) -> None:
    data = jpeg_with_gps()
    image = add_image(case_id=case.pk, actor=technician, data=data, file_name="DSC1.jpg")
    assert image.original_sha256 == hashlib.sha256(data).hexdigest()
    with image.file.open() as file:
        stored = file.read()
    assert b"Camera maker" not in stored
    assert not Image.open(io.BytesIO(stored)).getexif()
    assert "DSC1" not in str(image.file.name)


def test_stores_exactly_the_pixels_that_were_sent(technician: User, case: Case) -> None:
    data = picture_bytes(3)
    image = add_image(case_id=case.pk, actor=technician, data=data, file_name="a.png")
    with image.file.open() as file:
        sent, kept = Image.open(io.BytesIO(data)), Image.open(file).convert("RGB")
    assert sent.tobytes() == kept.tobytes()
    assert (image.width, image.height) == sent.size


def test_a_single_cell_has_one_full_frame_cell(case: Case, add_picture: MakeImage) -> None:
    image = add_picture(case)
    assert [cell.box for cell in image.cells.all()] == [(0, 0, image.width, image.height)]


def test_a_field_has_no_cell_until_fields_are_taken_apart(
    technician: User, case: Case, add_picture: MakeImage
) -> None:
    image = set_kind(image=add_picture(case), actor=technician, kind="field")
    assert not image.cells.exists()
    assert AuditEvent.objects.get(action="image.kind_changed").after == {"kind": "field"}


def test_refuses_the_same_picture_twice_and_names_the_first(technician: User, case: Case) -> None:
    data = picture_bytes(1)
    add_image(case_id=case.pk, actor=technician, data=data, file_name="first.png")
    with pytest.raises(ImageRefused, match=r"first\.png") as refusal:
        add_image(case_id=case.pk, actor=technician, data=data, file_name="second.png")
    assert refusal.value.code == "duplicate"
    assert len(stored_files()) == 1


@pytest.mark.parametrize("data", [b"", b"hello", picture_bytes(1)[:200]])
def test_refuses_what_is_no_picture_in_a_sentence(
    technician: User, case: Case, data: bytes
) -> None:
    with pytest.raises(ImageRefused) as refusal:
        add_image(case_id=case.pk, actor=technician, data=data, file_name="x.png")
    assert str(refusal.value).endswith(".")
    assert not SmearImage.objects.exists()
    assert not stored_files()


def test_refuses_a_file_above_the_limit(technician: User, case: Case, settings) -> None:  # type: ignore[no-untyped-def]
    settings.MAX_UPLOAD_BYTES = 100
    with pytest.raises(ImageRefused, match="larger"):
        add_image(case_id=case.pk, actor=technician, data=picture_bytes(1), file_name="x.png")


def test_a_removed_picture_leaves_its_hash_in_the_audit_trail(
    technician: User,
    case: Case,
    add_picture: MakeImage,
    django_capture_on_commit_callbacks: CaptureOnCommit,
) -> None:
    image = add_picture(case)
    with django_capture_on_commit_callbacks(execute=True):
        remove_image(image=image, actor=technician, reason="blurred")
    event = AuditEvent.objects.get(action="image.removed")
    assert event.before == {"sha256": image.original_sha256, "kind": image.kind}
    assert not stored_files()


def test_images_are_frozen_after_submission(
    technician: User, case: Case, add_picture: MakeImage
) -> None:
    image = add_picture(case)
    transition(case_id=case.pk, name="submit", actor=technician)
    for change in (
        lambda: add_picture(case),
        lambda: remove_image(image=image, actor=technician),
        lambda: set_kind(image=image, actor=technician, kind="field"),
    ):
        with pytest.raises(TransitionRefused):
            change()


def test_a_pathologist_adds_no_picture(pathologist: User, case: Case) -> None:
    with pytest.raises(NotPermitted):
        add_image(case_id=case.pk, actor=pathologist, data=picture_bytes(1), file_name="x.png")
