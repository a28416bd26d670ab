"""Images by program: one by one, and as an archive."""

import io
import uuid
import zipfile
from typing import Any

import pytest
from django.test import Client

from classifier.models import Case, SmearImage
from tests.api.sending import send_file
from tests.clinical import picture_bytes


def archive_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_sends_lists_fetches_and_removes_an_image(tess: Client, case: Case) -> None:
    response = send_file(tess, f"cases/{case.pk}/images", picture_bytes(1), kind="cell")
    assert response.status_code == 201
    image = response.json()
    listed = tess.get(f"/api/v1/cases/{case.pk}/images").json()["results"]
    assert [one["id"] for one in listed] == [image["id"]]
    picture: Any = tess.get(f"/api/v1/images/{image['id']}/file")
    assert picture["Content-Type"] == "image/png"
    assert b"".join(picture.streaming_content).startswith(b"\x89PNG")
    assert tess.get(f"/api/v1/images/{image['id']}").json()["sha256"] == image["sha256"]
    assert tess.delete(f"/api/v1/images/{image['id']}").status_code == 204
    assert tess.get(f"/api/v1/images/{image['id']}").status_code == 404


def test_the_same_picture_is_sent_once(tess: Client, case: Case) -> None:
    key = str(uuid.uuid4())
    path = f"cases/{case.pk}/images"
    first = send_file(tess, path, picture_bytes(1), key=key, kind="cell")
    again = send_file(tess, path, picture_bytes(1), key=key, kind="cell")
    assert again.json() == first.json()
    other = send_file(tess, path, picture_bytes(1), kind="cell")
    assert (other.status_code, SmearImage.objects.count()) == (409, 1)
    assert send_file(tess, path, picture_bytes(2), key=key, kind="cell").status_code == 422


@pytest.mark.parametrize(
    ("data", "parts"), [(b"", {}), (b"no picture", {}), (picture_bytes(1), {"kind": "slide"})]
)
def test_what_is_no_image_is_refused(
    tess: Client, case: Case, data: bytes, parts: dict[str, str]
) -> None:
    response = send_file(tess, f"cases/{case.pk}/images", data, **parts)
    assert response.status_code == 422
    assert not SmearImage.objects.exists()


def test_a_broken_form_is_refused(tess: Client, case: Case) -> None:
    for body in (b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nq"):
        response = tess.post(
            f"/api/v1/cases/{case.pk}/images",
            body,
            content_type="multipart/form-data; boundary=x",
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        assert response.status_code in {400, 422}


def test_an_archive_keeps_what_is_good(tess: Client, case: Case) -> None:
    data = archive_of({
        "smear/a.png": picture_bytes(1),
        "smear/again.png": picture_bytes(1),
        "smear/notes.txt": b"not a picture",
        "../../etc/passwd.png": picture_bytes(2),
        "/abs.png": picture_bytes(3),
        "C:\\evil.png": picture_bytes(4),
        "__MACOSX/._a.png": b"",
        "smear/": b"",
        "b.png": picture_bytes(5),
    })  # fmt: skip
    response = send_file(tess, f"cases/{case.pk}/images/archive", data, "s.zip", kind="cell")
    assert response.status_code == 201
    told = response.json()
    assert (told["stored"], told["refused"]) == (2, 5)
    codes = {one["name"]: one["problem"] and one["problem"]["code"] for one in told["outcomes"]}
    assert codes["a.png"] is None
    assert codes["again.png"] == "duplicate"
    assert codes["passwd.png"] == codes["abs.png"] == codes["evil.png"] == "unsafe_name"
    assert sorted(SmearImage.objects.values_list("original_name", flat=True)) == ["a.png", "b.png"]


def test_an_archive_of_nothing_good_is_a_problem_with_outcomes(tess: Client, case: Case) -> None:
    data = archive_of({"notes.txt": b"x"})
    response = send_file(tess, f"cases/{case.pk}/images/archive", data)
    assert response.status_code == 422
    assert response.json()["outcomes"][0]["name"] == "notes.txt"


def test_bombs_are_not_unpacked(tess: Client, case: Case, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 100_000
    settings.API_MAX_ARCHIVE_CONTENT_BYTES = 150_000
    settings.API_MAX_ARCHIVE_FILES = 3
    path = f"cases/{case.pk}/images/archive"
    big = send_file(tess, path, archive_of({"a.png": bytes(120_000)}))
    assert big.json()["outcomes"][0]["problem"]["code"] == "too_large"
    many = send_file(tess, path, archive_of({f"{n}.png": b"x" for n in range(4)}))
    assert many.status_code == 413
    wide = send_file(tess, path, archive_of({f"{n}.png": bytes(90_000) for n in range(2)}))
    assert wide.status_code == 413
    assert not SmearImage.objects.exists()


def test_an_archive_that_lies_of_its_size_is_stopped(
    tess: Client, case: Case, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 100_000
    data = bytearray(archive_of({"a.png": bytes(500_000)}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    response = send_file(tess, f"cases/{case.pk}/images/archive", bytes(data))
    assert response.status_code == 422
    assert not SmearImage.objects.exists()


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", archive_of({})])
def test_what_is_no_archive_is_refused(tess: Client, case: Case, data: bytes) -> None:
    response = send_file(tess, f"cases/{case.pk}/images/archive", data)
    assert response.status_code == 422
