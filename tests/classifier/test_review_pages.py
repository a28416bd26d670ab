"""The review page, its plain forms and its endpoints."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.models import Case, Correction, Review
from classifier.selectors import gallery
from classifier.selectors.cells import UNRESOLVED, list_cells
from classifier.selectors.class_keys import CLASS_KEYS
from classifier.services import reviews
from tests.factories import UserFactory
from tests.reviewing import MakeCase, cells_of

ClientFor = Callable[[User], Client]


def url(name: str, case: Case) -> str:
    return reverse(f"classifier:{name}", args=[case.pk])


@pytest.fixture
def reviewer_client(pathologist: User, client_for: ClientFor) -> Client:
    return client_for(pathologist)


def send(client: Client, address: str, method: str = "post", **payload: Any) -> Any:
    """Send JSON as the page's script does."""
    return getattr(client, method)(address, json.dumps(payload), content_type="application/json")


# The gallery ---------------------------------------------------------------------------------


def test_undecided_cells_come_first_and_the_hardest_of_them_first(
    classified_case: MakeCase,
) -> None:
    case = classified_case(["neutrophil", "unidentified", "", "monocyte"])
    first, *others = gallery.group_cells(list_cells(case))
    assert first.key == UNRESOLVED
    assert [cell.state for cell in first.cells] == ["unread", "referred"]
    classes = [item.cell_type for item in CLASS_KEYS]
    assert [group.key for group in others] == [*classes, "repeat", "edge", "removed"]
    assert [group.key for group in others if group.cells] == ["neutrophil", "monocyte"]


def test_machine_and_human_never_look_the_same(
    classified_case: MakeCase, correct: Callable[..., Any]
) -> None:
    case = classified_case(["neutrophil", "neutrophil", "neutrophil"], in_review=True)
    correct(case, [1], "neutrophil")
    correct(case, [2], "blast")
    shown = list_cells(case)
    assert [cell.state for cell in shown] == ["machine", "human", "human"]
    assert [cell.tag for cell in shown] == ["97 %", "confirmed", "was NEU"]
    assert shown[2].description == "Blast, named by reviewer, was NEU"
    assert shown[2].signature.startswith("Paul Pathologist, ")


def test_an_unread_cell_says_why(classified_case: MakeCase) -> None:
    [cell] = list_cells(classified_case([""]))
    assert (cell.tag, cell.run_error) == ("not read", "The picture could not be read.")
    assert cell.as_json()["chances"] == []


def test_every_class_has_its_own_key() -> None:
    keys = [item.key for item in CLASS_KEYS]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & {"a", "u", "n", "?"}


# Who sees what -------------------------------------------------------------------------------


def test_opening_a_case_is_reading_a_patient_record(
    classified_case: MakeCase, reviewer_client: Client, pathologist: User
) -> None:
    case = classified_case(["neutrophil"])
    assert reviewer_client.get(url("review", case)).status_code == 200
    event = AuditEvent.objects.get(action="patient.viewed")
    assert (event.actor, event.patient_id) == (pathologist, case.patient_id)
    case.refresh_from_db()
    assert case.status == CaseStatus.AWAITING_REVIEW


def test_the_reviewer_can_work(classified_case: MakeCase, reviewer_client: Client) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)
    response = reviewer_client.get(url("review", case))
    page = response.content.decode()
    assert response.context["is_editable"]
    assert "Doe, Jane" in page
    assert "MRN00123" in page
    assert "1 Jan 1980" in page
    assert 'aria-describedby="sign-reason"' in page


def test_a_colleague_sees_who_has_the_case_and_can_only_look(
    classified_case: MakeCase, client_for: ClientFor
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    response = client_for(UserFactory.create(role=Role.PATHOLOGIST)).get(url("review", case))
    page = response.content.decode()
    assert not response.context["is_editable"]
    assert "Paul Pathologist, MD has this case open since" in page
    assert 'name="cell_type"' not in page
    assert "Release for others" not in page


def test_an_administrator_can_release_it_for_others(
    classified_case: MakeCase, administrator: User, client_for: ClientFor
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    client = client_for(administrator)
    assert "Release for others" in client.get(url("review", case)).content.decode()
    client.post(url("review_release", case))
    case.refresh_from_db()
    assert case.status == CaseStatus.AWAITING_REVIEW


def test_a_case_that_is_not_ready_is_shown_as_a_case(case: Case, reviewer_client: Client) -> None:
    assert reviewer_client.get(url("review", case))["Location"] == case.get_absolute_url()


def test_sign_off_waits_for_the_last_referred_cell(
    classified_case: MakeCase, reviewer_client: Client, correct: Callable[..., Any]
) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)
    assert "1</strong> cell still needs your decision" in _summary(reviewer_client, case)
    correct(case, [1], "monocyte")
    assert "Every referred cell is decided" in _summary(reviewer_client, case)


def _summary(client: Client, case: Case) -> str:
    text: str = client.get(url("review_summary", case)).content.decode()
    return text


@pytest.mark.parametrize("size", [1, 12])
def test_the_number_of_queries_does_not_grow_with_the_cells(
    classified_case: MakeCase,
    reviewer_client: Client,
    size: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    case = classified_case(["neutrophil"] * size, in_review=True)
    reviewer_client.get(url("review", case))
    with django_assert_max_num_queries(41):
        reviewer_client.get(url("review", case))


# Without scripts -----------------------------------------------------------------------------


def test_a_plain_form_names_a_cell_and_takes_it_back(
    classified_case: MakeCase, reviewer_client: Client
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    cell = cells_of(case)[0]
    form = {"cell": cell.pk, "action_id": uuid.uuid4(), "cell_type": "blast", "reason": "Nucleoli"}
    for _ in range(2):  # a form sent twice
        reviewer_client.post(url("review_name", case), form)
    correction = Correction.objects.get()
    assert (correction.cell_type, correction.reason) == ("blast", "Nucleoli")
    reviewer_client.post(url("review_undo", case), {"action_id": uuid.uuid4()})
    reviewer_client.post(url("review_accept", case), {"cell": cell.pk, "action_id": uuid.uuid4()})
    assert list_cells(case)[0].tag == "confirmed"


def test_a_plain_form_without_a_class_changes_nothing(
    classified_case: MakeCase, reviewer_client: Client
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    response = reviewer_client.post(url("review_name", case), {"cell": "x"}, follow=True)
    assert "Choose a cell and a class." in response.content.decode()
    assert not Correction.objects.exists()


def test_a_plain_form_saves_the_comment(classified_case: MakeCase, reviewer_client: Client) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    form = {"text": "Normal film.", "revision": reviews.revision_of("")}
    reviewer_client.post(url("review_comment", case), form)
    assert Review.objects.get().comment == "Normal film."
    response = reviewer_client.post(
        url("review_comment", case), form | {"text": "Other"}, follow=True
    )
    assert "changed elsewhere" in response.content.decode()


@pytest.mark.parametrize(
    ("name", "status"),
    [("review_return", CaseStatus.REGISTERED), ("review_reject", CaseStatus.REJECTED)],
)
def test_returning_and_rejecting_need_a_reason(
    classified_case: MakeCase, reviewer_client: Client, name: str, status: str
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    stays = reviewer_client.post(url(name, case), {"reason": ""})
    assert stays["Location"] == url("review", case)
    leaves = reviewer_client.post(url(name, case), {"reason": "Too thick."})
    assert leaves["Location"] == reverse("classifier:worklist")
    case.refresh_from_db()
    assert (case.status, case.status_reason) == (status, "Too thick.")


def test_a_comment_written_by_others_is_shown_as_text(
    classified_case: MakeCase, reviewer_client: Client, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    Review.objects.update(comment="<script>alert(1)</script>")
    reviews.release(case_id=case.pk, actor=pathologist)
    page = reviewer_client.get(url("review", case)).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


# Endpoints -----------------------------------------------------------------------------------


def test_an_answer_holds_the_cells_as_they_are_stored(
    classified_case: MakeCase, reviewer_client: Client
) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)
    ids = [str(cell.pk) for cell in cells_of(case)]
    step: dict[str, Any] = {
        "action_id": str(uuid.uuid4()),
        "cell_ids": ids,
        "cell_type": "monocyte",
    }
    answer = send(reviewer_client, url("review_corrections", case), **step)
    assert answer.status_code == 200
    assert [cell["group"] for cell in answer.json()["cells"]] == ["monocyte", "monocyte"]
    again = send(reviewer_client, url("review_corrections", case), **step)
    assert again.json() == answer.json()
    undone = send(reviewer_client, url("review_undo_step", case), action_id=str(uuid.uuid4()))
    assert [cell["state"] for cell in undone.json()["cells"]] == ["machine", "referred"]
    redone = send(reviewer_client, url("review_redo_step", case), action_id=str(uuid.uuid4()))
    assert [cell["state"] for cell in redone.json()["cells"]] == ["human", "human"]
    back = send(reviewer_client, url("review_undo_step", case), action_id=str(uuid.uuid4()))
    accepted = send(
        reviewer_client,
        url("review_acceptances", case),
        action_id=str(uuid.uuid4()),
        looks=[{"cell": c["id"], "revision": c["revision"]} for c in back.json()["cells"]],
    )
    assert [cell["human"] for cell in accepted.json()["cells"]] == ["neutrophil", "monocyte"]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"action_id": "1", "cell_ids": [], "cell_type": "monocyte"},
        {"action_id": str(uuid.uuid4()), "cell_ids": [str(uuid.uuid4())], "cell_type": "x"},
    ],
)
def test_refuses_what_it_cannot_read(
    classified_case: MakeCase, reviewer_client: Client, payload: dict[str, Any]
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    assert send(reviewer_client, url("review_corrections", case), **payload).status_code == 400


def test_says_which_kind_of_refusal_it_was(
    classified_case: MakeCase,
    reviewer_client: Client,
    pathologist: User,
    technician: User,
    client_for: ClientFor,
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    undo = url("review_undo_step", case)
    step = {"action_id": str(uuid.uuid4())}
    nothing = send(reviewer_client, undo, **step)
    assert (nothing.status_code, nothing.json()["detail"]) == (
        422,
        "There is nothing to undo in this review.",
    )
    colleague = client_for(UserFactory.create(role=Role.PATHOLOGIST))
    assert send(colleague, undo, **step).status_code == 403
    assert send(client_for(technician), undo, **step).status_code == 403
    assert send(Client(), undo, **step).status_code == 403
    reviews.release(case_id=case.pk, actor=pathologist)
    assert send(reviewer_client, undo, **step).status_code == 409


def test_a_comment_conflict_shows_what_is_stored(
    classified_case: MakeCase, reviewer_client: Client
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    address = url("review_comment_text", case)
    empty = reviews.revision_of("")
    saved = send(reviewer_client, address, "put", text="Mine.", revision=empty).json()
    assert saved == {"text": "Mine.", "revision": reviews.revision_of("Mine.")}
    conflict = send(reviewer_client, address, "put", text="Theirs.", revision=empty)
    assert conflict.status_code == 409
    assert conflict.json()["text"] == "Mine."
    assert conflict.json()["revision"] == saved["revision"]


def test_steps_need_the_anti_forgery_token(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(pathologist, backend="django.contrib.auth.backends.ModelBackend")
    step = {"action_id": str(uuid.uuid4())}
    assert send(client, url("review_undo_step", case), **step).status_code == 403
    assert client.post(url("review_release", case)).status_code == 403


# Doubt first ---------------------------------------------------------------------------------


def test_cells_that_no_class_fits_come_before_those_of_little_confidence(
    classified_case: MakeCase,
) -> None:
    case = classified_case(["unidentified", "unidentified", "unidentified"])
    first, second, third = list_cells(case)
    assert first.probabilities["monocyte"] == 0.4
    cells = [
        replace(first, confidence=0.3, probabilities={"monocyte": 0.3}),
        replace(second, candidates=()),
        replace(third, confidence=0.1, probabilities={"monocyte": 0.9}),
    ]
    open_group = gallery.group_cells(cells)[0]
    assert [cell.id for cell in open_group.cells] == [third.id, second.id, first.id]


def test_a_referred_cell_says_what_it_could_be(classified_case: MakeCase) -> None:
    case = classified_case(["neutrophil", "unidentified"])
    sure, referred = list_cells(case)
    assert sure.doubt == ""
    assert referred.doubt == "Could be: monocyte, lymphocyte"
    assert referred.description.endswith("MON 40 %, could be: monocyte, lymphocyte")
    assert replace(referred, candidates=()).doubt == "No class is likely enough"
    assert replace(referred, candidates=None).doubt == ""


def test_the_count_of_what_is_left_stands_beside_the_chosen_cell(
    classified_case: MakeCase, reviewer_client: Client, correct: Callable[..., Any]
) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)
    assert "1 left to decide" in reviewer_client.get(url("review", case)).content.decode()
    correct(case, [1], "monocyte")
    assert "Every cell is decided" in reviewer_client.get(url("review", case)).content.decode()


def test_the_page_names_every_module_of_its_script_so_that_all_are_fetched_at_once(
    classified_case: MakeCase, reviewer_client: Client
) -> None:
    case = classified_case(["neutrophil"])
    page = reviewer_client.get(url("review", case)).content.decode()
    for module in ("gallery", "order", "touch", "seen", "boxes"):
        address = f"/static/js/review/{module}.js"
        assert page.count(f'<link rel="modulepreload" href="{address}">') == 1


def test_the_script_is_told_once_what_holds_of_most_cells_and_nothing_that_tiles_say(
    classified_case: MakeCase, reviewer_client: Client
) -> None:
    case = classified_case(["neutrophil", "neutrophil", "lymphocyte"])
    page = reviewer_client.get(url("review", case))
    told = page.context["script_data"]
    whole = {str(cell.id): cell.as_json() for cell in list_cells(case)}
    on_tile = {"group", "state", "tag", "description"}
    assert told["usual"]["finding"] == "neutrophil"
    for cell in told["cells"]:
        assert not on_tile & cell.keys()
        assert cell.get("finding") != "neutrophil"
        full = whole[cell["id"]]
        assert told["usual"] | cell == {name: full[name] for name in full.keys() - on_tile}
