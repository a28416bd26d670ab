"""Pictures of a field's cells: made once, kept by the browser, another for another box."""

import io
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from numpy.typing import NDArray
from PIL import Image

from accounts.enums import Role
from accounts.models import User
from classifier import tasks
from classifier.findings import Box, surroundings
from classifier.models import Case, Cell
from classifier.selectors.cells import list_cells
from classifier.services import boxes, reviews, thumbnails
from tests.factories import UserFactory
from tests.fields import ReadCase, field_pixels, whites_of

Commits = Any


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The tasks that were asked for, by their last name, with their arguments."""
    sent: list[tuple[str, Any]] = []

    def send(name: str, *, args: Any = (), **_: Any) -> None:
        sent.append((name.rsplit(".", 1)[-1], args))

    monkeypatch.setattr("classifier.dispatch.current_app.send_task", send)
    return sent


@pytest.fixture
def read_field(
    read_case: ReadCase,
    published: list[tuple[str, Any]],
    django_capture_on_commit_callbacks: Commits,
) -> Case:
    """A case of one field, as the workers leave it."""
    with django_capture_on_commit_callbacks(execute=True):
        case = read_case([field_pixels(1)])
    run_thumbnail_tasks(published)
    return case


def run_thumbnail_tasks(published: list[tuple[str, Any]]) -> int:
    wanted = [args for name, args in published if name == "make_thumbnails"]
    for args in wanted:
        tasks.make_thumbnails(*args)
    published.clear()
    return len(wanted)


def picture_of(cell: Cell) -> str:
    box = thumbnails.box_in_words(cell.box_now)
    return f"thumbnails/{cell.image.case_id}/{cell.image_id}/{box}.webp"


def address(cell: Cell, box: str) -> str:
    return reverse("classifier:cell_thumbnail", args=[cell.pk]) + f"?box={box}"


def fetch(client: Client, address: str) -> Any:
    """The answer, with its file closed again."""
    answer = client.get(address)
    answer.close()
    return answer


def test_the_worker_makes_them_when_a_field_was_read(read_field: Case) -> None:
    cells = whites_of(read_field)
    assert cells
    assert all(default_storage.exists(picture_of(cell)) for cell in cells)


def test_making_them_again_makes_nothing(read_field: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "cut_cells", lambda *_: pytest.fail("cut again"))
    thumbnails.make_thumbnails(image_id=read_field.images.get().pk)


def test_a_box_drawn_anew_gets_a_picture_of_its_own(
    read_field: Case,
    pathologist: User,
    published: list[tuple[str, Any]],
    django_capture_on_commit_callbacks: Commits,
) -> None:
    reviews.open_review(case_id=read_field.pk, actor=pathologist)
    cell = whites_of(read_field)[0]
    with django_capture_on_commit_callbacks(execute=True):
        boxes.reshape_cell(
            case_id=read_field.pk,
            actor=pathologist,
            cell_id=cell.pk,
            box=(90, 70, 180, 160),
            action_id=uuid.uuid4(),
        )
    assert run_thumbnail_tasks(published) == 1
    assert default_storage.exists(picture_of(cell))
    assert default_storage.exists(picture_of(whites_of(read_field)[0]))
    assert whites_of(read_field)[0].box_now == (90, 70, 180, 160)


def test_the_browser_keeps_the_picture_of_a_box(
    read_field: Case, pathologist: User, client_for: Callable[[User], Client]
) -> None:
    cell = whites_of(read_field)[0]
    answer = fetch(client_for(pathologist), address(cell, thumbnails.box_in_words(cell.box_now)))
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize("box", ["", "1-2-3-4", "../../x", "1-2-3"])
def test_another_box_is_answered_with_the_present_one_and_not_kept(
    read_field: Case, pathologist: User, client_for: Callable[[User], Client], box: str
) -> None:
    answer = fetch(client_for(pathologist), address(whites_of(read_field)[0], box))
    assert answer.status_code == 200
    assert "immutable" not in answer["Cache-Control"]


def test_what_no_worker_made_is_made_when_asked_for(
    read_field: Case, pathologist: User, client_for: Callable[[User], Client]
) -> None:
    cell = whites_of(read_field)[0]
    default_storage.delete(picture_of(cell))
    answer = fetch(client_for(pathologist), address(cell, thumbnails.box_in_words(cell.box_now)))
    assert answer.status_code == 200
    assert default_storage.exists(picture_of(cell))


def large(cell: Cell, box: str = "") -> str:
    box = box or thumbnails.box_in_words(cell.box_now)
    return reverse("classifier:cell_picture", args=[cell.pk]) + f"?box={box}"


def pixels_of(answer: Any) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(answer.getvalue())).convert("RGB"))


def test_the_large_picture_is_the_field_round_the_cell_pixel_for_pixel(
    read_field: Case, pathologist: User, client_for: Callable[[User], Client]
) -> None:
    cell = whites_of(read_field)[0]
    view = next(view for view in list_cells(read_field) if view.id == cell.pk)
    left, top, width, height = view.surroundings
    found = pixels_of(client_for(pathologist).get(large(cell)))
    whole = field_pixels(1)
    assert found.shape[:2] == (height, width)
    assert np.array_equal(found, whole[top : top + height, left : left + width])


def test_the_large_picture_is_kept_and_answered_without_bytes_when_it_is_known(
    read_field: Case, pathologist: User, client_for: Callable[[User], Client]
) -> None:
    client = client_for(pathologist)
    cell = whites_of(read_field)[0]
    first = client.get(large(cell))
    picture = first.getvalue()
    assert first["Cache-Control"] == "private, max-age=31536000, immutable"
    again = client.get(large(cell), headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304
    other = client.get(large(cell, "1-2-3-4"))
    assert other.getvalue() == picture
    assert "immutable" not in other["Cache-Control"]


def test_the_large_picture_of_a_cell_is_nobodys_who_may_not_see_its_case(
    read_field: Case, client_for: Callable[[User], Client], client: Client
) -> None:
    cell = whites_of(read_field)[0]
    assert client.get(large(cell)).status_code == 302
    learner = UserFactory.create(role=Role.LEARNER)
    assert client_for(learner).get(large(cell)).status_code in {403, 404}


@pytest.mark.parametrize(
    ("box", "shown"),
    [
        ((100, 100, 140, 120), (70, 60, 170, 160)),
        ((0, 0, 40, 40), (0, 0, 70, 70)),
        ((275, 380, 300, 400), (256, 359, 300, 400)),
    ],
)
def test_the_surroundings_end_where_the_field_ends(box: Box, shown: Box) -> None:
    assert surroundings(box, (300, 400)) == shown
