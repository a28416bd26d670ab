"""Whole slides by program: sent part by part, followed, fields taken, removed."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import User
from classifier.models import Case, Slide, SmearImage
from tests.api.conftest import Program
from tests.api.sending import post
from tests.clinical import MakeImage
from tests.factories import UserFactory
from tests.slides import BOX, checked

STEPS: dict[str, dict[str, Any]] = {"fields": {"box": list(BOX)}, "field-requests": {"count": 3}}


def begin(client: Client, case: Case, size: int, key: str = "", **file: Any) -> Any:
    offered = {"name": "smear.svs", "size": size, "modified": 7} | file
    return post(client, f"cases/{case.pk}/slides", {"files": [offered]}, key)


def put(client: Client, slide_id: str, offset: Any, data: bytes, number: int = 0) -> Any:
    return client.put(
        f"/api/v1/slides/{slide_id}/files/{number}?offset={offset}",
        data,
        content_type="application/octet-stream",
    )


def test_a_slide_arrives_in_parts_and_fields_are_taken(
    tess: Client, case: Case, smear: Path
) -> None:
    data = smear.read_bytes()
    begun = begin(tess, case, len(data))
    assert begun.status_code == 201
    told = begun.json()
    assert (told["status"], told["part_bytes"]) == ("uploading", 8 * 1024**2)
    half = len(data) // 2
    assert put(tess, told["id"], 0, data[:half]).json() == {"received": half, "size": len(data)}
    taken_up = begin(tess, case, len(data)).json()
    assert (taken_up["id"], taken_up["files"][0]["received"]) == (told["id"], half)
    put(tess, told["id"], half, data[half:])
    checked(Slide.objects.get())
    slide = tess.get(begun["Location"]).json()
    assert (slide["status"], slide["fields_taken"]) == ("ready", 0)
    preview: Any = tess.get(f"{begun['Location']}/preview")
    assert b"".join(preview.streaming_content)[8:12] == b"WEBP"
    tile = tess.get(f"{begun['Location']}/tiles/0/0_0.jpeg")
    assert tile.content.startswith(b"\xff\xd8")
    assert tess.get(f"{begun['Location']}/tiles/99/0_0.jpeg").status_code == 404
    field = post(tess, f"slides/{slide['id']}/fields", {"box": list(BOX)})
    assert (field.status_code, field.json()["kind"]) == (201, "field")
    (listed,) = tess.get(f"/api/v1/cases/{case.pk}/slides").json()["results"]
    assert listed["fields_taken"] == 1


@pytest.mark.parametrize("offset", [0, 50, 150, 10**9])
def test_a_part_out_of_place_says_which_is_next(tess: Client, case: Case, offset: int) -> None:
    slide_id = begin(tess, case, 300).json()["id"]
    put(tess, slide_id, 0, bytes(100))
    refused = put(tess, slide_id, offset, bytes(100))
    assert (refused.status_code, refused.json()["expected"]) == (409, 100)
    assert put(tess, slide_id, 100, bytes(100)).status_code == 200


@pytest.mark.parametrize(
    ("offset", "data", "number", "status"),
    [("", b"x", 0, 422), ("-1", b"x", 0, 422), ("x", b"x", 0, 422), ("0", b"", 0, 422),
     ("0", b"x", 1, 404), ("0&offset=0", b"x", 0, 422), ("0&more=1", b"x", 0, 422)],
)  # fmt: skip
def test_a_part_that_says_no_place_is_refused(
    tess: Client, case: Case, offset: str, data: bytes, number: int, status: int
) -> None:
    slide_id = begin(tess, case, 300).json()["id"]
    assert put(tess, slide_id, offset, data, number).status_code == status


def test_a_part_is_bounded(tess: Client, case: Case) -> None:
    slide_id = begin(tess, case, 2**30).json()["id"]
    assert put(tess, slide_id, 0, bytes(8 * 1024**2 + 1)).status_code == 413


@pytest.mark.parametrize(
    ("size", "file", "status"),
    [(0, {}, 422), ("9", {}, 422), (2**50, {}, 413), (9, {"name": ""}, 422), (9, {"x": 1}, 422)],
)
def test_what_cannot_be_a_slide_is_refused(
    tess: Client, case: Case, size: Any, file: dict[str, Any], status: int
) -> None:
    assert begin(tess, case, size, **file).status_code == status
    assert post(tess, f"cases/{case.pk}/slides", {"files": []}).status_code == 422
    assert not Slide.objects.exists()


def test_a_full_disk_is_told_as_such(
    tess: Client, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifier.services.slide_uploads.LEFT_FREE", 2**60)
    refused = begin(tess, case, 9)
    assert (refused.status_code, refused.json()["type"][-12:]) == (507, "slide-no-room"[-12:])


@pytest.mark.parametrize(("step", "status"), [("fields", 201), ("field-requests", 202)])
def test_a_step_on_a_slide_is_taken_once(
    tess: Client, slide: Slide, step: str, status: int
) -> None:
    where, key = f"slides/{slide.pk}/{step}", str(uuid.uuid4())
    first = post(tess, where, STEPS[step], key)
    again = post(tess, where, STEPS[step], key)
    assert (first.status_code, again["Idempotent-Replayed"]) == (status, "true")
    assert again.json() == first.json()
    assert post(tess, where, STEPS[step]).status_code == 422, "it was taken, or is being taken"


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("fields", {"box": [0, 0, 10, 10]}),
        ("fields", {"box": [0, 0, 10**6, 10**6]}),
        ("fields", {"box": "all"}),
        ("field-requests", {"count": 0}),
        ("field-requests", {"count": 201}),
    ],
)
def test_what_cannot_be_taken_is_refused(
    tess: Client, slide: Slide, step: str, body: dict[str, Any]
) -> None:
    assert post(tess, f"slides/{slide.pk}/{step}", body).status_code == 422
    assert not SmearImage.objects.exists()


def test_a_slide_is_removed_with_its_fields(tess: Client, slide: Slide) -> None:
    post(tess, f"slides/{slide.pk}/fields", STEPS["fields"])
    assert tess.delete(f"/api/v1/slides/{slide.pk}").status_code == 204
    assert tess.get(f"/api/v1/slides/{slide.pk}").status_code == 404
    assert not SmearImage.objects.exists()


def test_who_uploads_nothing_touches_no_slide(
    case: Case, slide: Slide, pathologist: User, program: Program
) -> None:
    for owner in (pathologist, UserFactory.create(role=Role.ADMINISTRATOR)):
        client = program(owner)
        assert client.get(f"/api/v1/slides/{slide.pk}").status_code == 200
        assert begin(client, case, 9).status_code == 403
        assert put(client, str(slide.pk), 0, b"x").status_code == 403
        assert client.delete(f"/api/v1/slides/{slide.pk}").status_code == 403
        for step, body in STEPS.items():
            assert post(client, f"slides/{slide.pk}/{step}", body).status_code == 403


def test_what_a_picture_shows_is_said_before_submission(
    tess: Client, case: Case, add_picture: MakeImage
) -> None:
    where = f"images/{add_picture(case).pk}/kind"
    assert post(tess, where, {"kind": "field"}).json()["kind"] == "field"
    assert post(tess, where, {"kind": "slide"}).status_code == 422
    post(tess, f"cases/{case.pk}/cancel", {"reason": "Twice."})
    assert post(tess, where, {"kind": "cell"}).status_code == 409
