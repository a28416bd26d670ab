"""Steps that carry what they saw: nothing that was said meanwhile is overwritten unseen."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.exceptions import UnseenChange
from classifier.models import Case, Correction
from classifier.selectors.cells import list_cells
from classifier.services import boxes, corrections, reviews
from classifier.services.marking import Action, Seen
from tests.fields import ReadCase, field_pixels, whites_of
from tests.reviewing import MakeCase, cells_of

SignIn = Callable[[User], Client]


@pytest.fixture
def case(classified_case: MakeCase) -> Case:
    return classified_case(["neutrophil", "lymphocyte", "monocyte"], in_review=True)


def seen_now(case: Case) -> dict[uuid.UUID, int]:
    """What a page that is opened now knows of the case's cells."""
    known: dict[uuid.UUID, int] = {}
    for row in Correction.objects.filter(review__case=case).order_by("pk"):
        known[row.cell_id] = row.pk
    return known


def name(
    case: Case,
    actor: User,
    places: list[int],
    cell_type: str,
    *,
    seen: Seen | None,
    action_id: uuid.UUID | None = None,
) -> Action:
    cells = cells_of(case)
    return corrections.correct_cells(
        case_id=case.pk,
        actor=actor,
        cell_ids=[cells[place].pk for place in places],
        cell_type=cell_type,
        action_id=action_id or uuid.uuid4(),
        seen=seen,
    )


def findings(case: Case) -> list[str]:
    found = {cell.id: cell.finding for cell in list_cells(case)}
    return [found[cell.pk] for cell in cells_of(case)]


# Services ------------------------------------------------------------------------------------


def test_a_second_window_does_not_overwrite_what_the_first_said(
    case: Case, pathologist: User
) -> None:
    opened = seen_now(case)
    name(case, pathologist, [0, 1], "blast", seen=opened)
    with pytest.raises(UnseenChange, match="1 cell was changed") as refusal:
        name(case, pathologist, [1, 2], "monocyte", seen=opened)
    assert refusal.value.cell_ids == (cells_of(case)[1].pk,)
    assert findings(case) == ["blast", "blast", "monocyte"]
    assert AuditEvent.objects.filter(action="cell.corrected").count() == 1


def test_having_seen_it_one_may(case: Case, pathologist: User) -> None:
    name(case, pathologist, [0], "blast", seen={})
    name(case, pathologist, [0], "monocyte", seen=seen_now(case))
    assert findings(case)[0] == "monocyte"


def test_saying_the_same_overwrites_nothing(case: Case, pathologist: User) -> None:
    name(case, pathologist, [0], "blast", seen={})
    assert name(case, pathologist, [0], "blast", seen={}).cell_ids == ()


def test_a_step_that_is_sent_again_is_harmless(case: Case, pathologist: User) -> None:
    step = uuid.uuid4()
    first = name(case, pathologist, [0], "blast", seen={}, action_id=step)
    assert name(case, pathologist, [0], "blast", seen={}, action_id=step) == first
    assert Correction.objects.count() == 1


def test_who_does_not_tell_what_he_saw_is_not_asked(case: Case, pathologist: User) -> None:
    name(case, pathologist, [0], "blast", seen={})
    name(case, pathologist, [0], "monocyte", seen=None)
    assert findings(case)[0] == "monocyte"


def test_undo_takes_back_no_step_of_another_window(case: Case, pathologist: User) -> None:
    name(case, pathologist, [0], "blast", seen={})
    known = seen_now(case)
    name(case, pathologist, [1], "blast", seen=known)
    undo: dict[str, Any] = {"case_id": case.pk, "actor": pathologist, "action_id": uuid.uuid4()}
    with pytest.raises(UnseenChange):
        corrections.undo_last(**undo, seen=known)
    corrections.undo_last(**undo, seen=seen_now(case))
    assert findings(case)[:2] == ["blast", "lymphocyte"]


def test_a_page_from_before_an_amendment_overwrites_nothing(case: Case, pathologist: User) -> None:
    opened = seen_now(case)
    name(case, pathologist, [0], "blast", seen=opened)
    reviews.release(case_id=case.pk, actor=pathologist)
    reviews.open_review(case_id=case.pk, actor=pathologist)
    with pytest.raises(UnseenChange):
        name(case, pathologist, [0], "monocyte", seen=opened)


def test_redo_overwrites_nothing_unseen(case: Case, pathologist: User) -> None:
    name(case, pathologist, [0], "blast", seen={})
    common: dict[str, Any] = {"case_id": case.pk, "actor": pathologist}
    known = seen_now(case)
    corrections.undo_last(**common, action_id=uuid.uuid4(), seen=known)
    with pytest.raises(UnseenChange):
        corrections.redo_last(**common, action_id=uuid.uuid4(), seen=known)
    corrections.redo_last(**common, action_id=uuid.uuid4(), seen=seen_now(case))
    assert findings(case)[0] == "blast"


def test_boxes_are_not_overwritten_either(read_case: ReadCase, pathologist: User) -> None:
    case = read_case([field_pixels(1)])
    reviews.open_review(case_id=case.pk, actor=pathologist)
    cell = whites_of(case)[0]
    common: dict[str, Any] = {"case_id": case.pk, "actor": pathologist}
    boxes.reshape_cell(
        **common, cell_id=cell.pk, box=(90, 70, 180, 160), action_id=uuid.uuid4(), seen={}
    )
    steps: list[Callable[..., Action]] = [boxes.remove_cells, boxes.mark_repeats]
    more: list[dict[str, Any]] = [{}, {"repeat": "repeat"}]
    for step, extra in zip(steps, more, strict=True):
        with pytest.raises(UnseenChange):
            step(**common, cell_ids=[cell.pk], action_id=uuid.uuid4(), seen={}, **extra)
    with pytest.raises(UnseenChange):
        boxes.reshape_cell(
            **common, cell_id=cell.pk, box=(95, 70, 180, 160), action_id=uuid.uuid4(), seen={}
        )
    assert Correction.objects.count() == 1


# Over the wire -------------------------------------------------------------------------------


def post(client: Client, case: Case, place: int, cell_type: str, **more: Any) -> Any:
    body = {
        "action_id": str(uuid.uuid4()),
        "cell_ids": [str(cells_of(case)[place].pk)],
        "cell_type": cell_type,
        **more,
    }
    url = reverse("classifier:review_corrections", args=[case.pk])
    return client.post(url, body, content_type="application/json")


def test_the_answer_to_a_conflict_is_what_stands_there_now(
    case: Case, pathologist: User, client_for: SignIn
) -> None:
    client = client_for(pathologist)
    assert post(client, case, 0, "blast", seen={}).status_code == 200
    refused = post(client, case, 0, "monocyte", seen={})
    assert refused.status_code == 409
    (cell,) = refused.json()["unseen"]
    assert (cell["finding"], cell["named"][:16]) == ("blast", "Paul Pathologist")
    assert findings(case)[0] == "blast"
    again = post(client, case, 0, "monocyte", seen={cell["id"]: cell["revision"]})
    assert again.status_code == 200
    assert findings(case)[0] == "monocyte"


@pytest.mark.parametrize("seen", ["text", {"no id": 1}, {str(uuid.uuid4()): "x"}, [1]])
def test_what_was_seen_has_a_form(
    case: Case, pathologist: User, client_for: SignIn, seen: object
) -> None:
    assert post(client_for(pathologist), case, 0, "blast", seen=seen).status_code == 400


# Plain forms ---------------------------------------------------------------------------------


def known_to(page: Any) -> int:
    return int(page.context["script_data"]["latest"])


def submit(client: Client, case: Case, step: str, **sent: Any) -> Any:
    address = reverse(f"classifier:review_{step}", args=[case.pk])
    return client.post(address, {"action_id": uuid.uuid4(), **sent})


def test_a_plain_form_carries_what_its_page_showed(
    case: Case, pathologist: User, client_for: SignIn
) -> None:
    name(case, pathologist, [0], "blast", seen=None)
    page = client_for(pathologist).get(reverse("classifier:review", args=[case.pk]))
    latest = Correction.objects.latest("pk").pk
    assert page.content.decode().count(f'name="known" value="{latest}"') == 3


@pytest.mark.parametrize(
    ("step", "sent", "wish"),
    [
        ("name", {"cell_type": "monocyte"}, "Monocyte"),
        ("accept", {}, "the class that the machine holds for likeliest"),
    ],
)
def test_a_plain_form_overwrites_nothing_unseen_and_asks(
    case: Case,
    pathologist: User,
    client_for: SignIn,
    step: str,
    sent: dict[str, str],
    wish: str,
) -> None:
    client = client_for(pathologist)
    known = known_to(client.get(reverse("classifier:review", args=[case.pk])))
    name(case, pathologist, [0], "blast", seen=None)
    cell = cells_of(case)[0]
    answer = submit(client, case, step, cell=cell.pk, known=known, **sent)
    assert answer.status_code == 409
    assert [each.id for each in answer.context["cells"]] == [cell.pk]
    assert answer.context["wish"] == wish
    assert findings(case)[0] == "blast"
    again = client.post(answer.wsgi_request.path, answer.context["sent"])
    assert again.status_code == 302
    assert findings(case)[0] == {"name": "monocyte", "accept": "neutrophil"}[step]


def test_a_plain_undo_takes_back_no_step_of_another_window(
    case: Case, pathologist: User, client_for: SignIn
) -> None:
    client = client_for(pathologist)
    known = known_to(client.get(reverse("classifier:review", args=[case.pk])))
    name(case, pathologist, [1], "blast", seen=None)
    assert submit(client, case, "undo", known=known).status_code == 409
    assert findings(case)[1] == "blast"
    seen = known_to(client.get(reverse("classifier:review", args=[case.pk])))
    assert submit(client, case, "undo", known=seen).status_code == 302
    assert findings(case)[1] == "lymphocyte"


def test_a_plain_step_on_other_cells_is_taken(
    case: Case, pathologist: User, client_for: SignIn
) -> None:
    client = client_for(pathologist)
    known = known_to(client.get(reverse("classifier:review", args=[case.pk])))
    name(case, pathologist, [0], "blast", seen=None)
    sent = {"cell": cells_of(case)[2].pk, "cell_type": "blast", "known": known}
    assert submit(client, case, "name", **sent).status_code == 302
    assert findings(case) == ["blast", "lymphocyte", "blast"]
