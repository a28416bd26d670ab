"""Files that are not what they say, and names that lead elsewhere."""

import io
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.models import Case, SmearImage
from tests.attacks.files import HTML, SVG, png_that_says_it_is
from tests.clinical import picture_bytes

Upload = Callable[[bytes, str], tuple[int, str]]


@pytest.fixture
def upload(case: Case, desk: Client) -> Upload:
    """Send a file to the case's upload as the page does; return status and answer."""

    def send(content: bytes, name: str) -> tuple[int, str]:
        file = SimpleUploadedFile(name, content, content_type="image/png")
        address = reverse("classifier:case_images_upload", args=[case.pk])
        answer = desk.post(address, {"file": file})
        return answer.status_code, answer.content.decode()

    return send


@pytest.mark.parametrize(
    "content",
    [
        SVG,
        HTML,
        b"GIF89a" + HTML,
        b"%PDF-1.7\n" + HTML,
        b"",
        b"\x89PNG\r\n\x1a\n",
        png_that_says_it_is(60_000, 60_000),
    ],
    ids=["svg", "html", "html as gif", "pdf", "empty", "half a png", "bomb of pixels"],
)
def test_what_is_no_picture_is_refused_with_words(content: bytes, upload: Upload) -> None:
    status, said = upload(content, "cell.png")
    assert status in {400, 413, 415, 422}
    assert "Traceback" not in said
    assert not SmearImage.objects.exists()


def test_what_hangs_on_a_picture_does_not_come_in(upload: Upload, technician: User) -> None:
    """A picture that is also a page: it is decoded and written anew, so nothing else is left."""
    status, _ = upload(picture_bytes(5) + HTML, "cell.png")
    assert status in {200, 201}
    with SmearImage.objects.get().file.open("rb") as stored:
        assert b"<script" not in stored.read()


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/cron.d/cell.png",
        "..\\..\\windows\\cell.png",
        "/etc/passwd",
        "cell.png\r\nSet-Cookie: sessionid=stolen",
        "a" * 300 + ".png",
        "cell.php.png",
        "COM1.png",
    ],
)
def test_a_name_leads_nowhere_and_into_no_header(
    name: str, upload: Upload, case: Case, desk: Client
) -> None:
    status, _ = upload(picture_bytes(6), name)
    assert status in {200, 201}
    image = SmearImage.objects.get()
    assert image.file.name == f"images/{case.pk}/{image.pk}.png"
    assert image.thumbnail.name == f"thumbnails/{case.pk}/{image.pk}.webp"
    assert "\n" not in image.original_name
    answer = desk.get(f"/images/{image.pk}/")
    assert "stolen" not in str(answer.headers)
    assert not answer.cookies
    assert answer["Content-Type"].startswith("image/")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert io.BytesIO(b"".join(answer.streaming_content)).read(4) == b"\x89PNG"  # type: ignore[attr-defined]
