"""Referrals and comments by program, as the laboratory makes them."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import Role
from accounts.models import User
from classifier.models import Case
from consultation.models import CaseComment, Referral
from consultation.services.opinions import Words, give_opinion
from tests.api.conftest import Program
from tests.api.sending import post
from tests.factories import UserFactory
from tests.reviewing import MakeCase, cells_of


@pytest.fixture
def open_case(classified_case: MakeCase) -> Case:
    return classified_case(["neutrophil", "unidentified"], in_review=True)


@pytest.fixture
def paul(pathologist: User, program: Program) -> Client:
    return program(pathologist)


def refer(client: Client, case: Case, consultant: User, key: str = "", **changes: Any) -> Any:
    body = {"consultant": consultant.pk, "question": "Are these blasts?"} | changes
    return post(client, f"cases/{case.pk}/referrals", body, key)


def day(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def test_refers_changes_the_term_and_withdraws(
    paul: Client, open_case: Case, consultant: User
) -> None:
    listed = paul.get("/api/v1/people/consultants").json()["results"]
    assert [person["id"] for person in listed if person["is_outside"]] == [consultant.pk]
    made = refer(paul, open_case, consultant)
    assert made.status_code == 201
    referral = made.json()
    assert (referral["state"], referral["shows_identity"]) == ("sent", False)
    assert paul.get(made["Location"]).json() == referral
    path = f"referrals/{referral['id']}"
    longer = post(paul, f"{path}/term", {"last_day": day(30)}).json()
    assert longer["expires_at"] > referral["expires_at"]
    gone = post(paul, f"{path}/withdrawal", {"reason": "By mistake."}).json()
    assert (gone["state"], gone["withdrawal_reason"]) == ("withdrawn", "By mistake.")
    (shown,) = paul.get(f"/api/v1/cases/{open_case.pk}/referrals").json()["results"]
    assert shown == gone


def test_an_opinion_is_read_quoted_and_printed(
    paul: Client, open_case: Case, consultant: User
) -> None:
    referral = Referral.objects.get(pk=refer(paul, open_case, consultant).json()["id"])
    opinion = give_opinion(
        referral=referral, actor=consultant, opinion_id=uuid.uuid4(), words=Words("They are.")
    )
    told = paul.get(f"/api/v1/referrals/{referral.pk}").json()
    assert [each["text"] for each in told["opinions"]] == ["They are."]
    assert Referral.objects.get().answer_read_at is not None
    quoted = post(paul, f"opinions/{opinion.pk}/quote").json()["text"]
    assert quoted.startswith("Opinion of Cora Consultant")
    printed = post(paul, f"referrals/{referral.pk}/printing", {"is_printed": True}).json()
    assert printed["prints_opinion"] is True


def test_a_case_is_referred_once(paul: Client, open_case: Case, consultant: User) -> None:
    key = str(uuid.uuid4())
    first = refer(paul, open_case, consultant, key)
    again = refer(paul, open_case, consultant, key)
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    assert refer(paul, open_case, consultant).status_code == 422, "she has it already"
    assert Referral.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"consultant": 10**6},
        {"consultant": "1"},
        {"question": ""},
        {"question": "Has Jane Doe leukaemia?"},
        {"shows_identity": "yes"},
        {"case": "x"},
    ],
)
def test_a_referral_that_cannot_be_is_refused(
    paul: Client, open_case: Case, consultant: User, change: dict[str, Any]
) -> None:
    body = {"consultant": consultant.pk, "question": "Are these blasts?"} | change
    assert post(paul, f"cases/{open_case.pk}/referrals", body).status_code == 422
    assert not Referral.objects.exists()


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("term", {"last_day": "soon"}),
        ("term", {"last_day": "2020-01-01"}),
        ("term", {"last_day": "2999-01-01"}),
        ("withdrawal", {}),
        ("withdrawal", {"reason": " "}),
        ("printing", {"is_printed": 1}),
    ],
)
def test_a_step_on_a_referral_that_cannot_be_is_refused(
    paul: Client, open_case: Case, consultant: User, step: str, body: dict[str, Any]
) -> None:
    path = f"referrals/{refer(paul, open_case, consultant).json()['id']}"
    assert post(paul, f"{path}/{step}", body).status_code == 422


def test_who_may_not_refer_or_withdraw(
    paul: Client, open_case: Case, consultant: User, technician: User, program: Program
) -> None:
    tess = program(technician)
    assert refer(tess, open_case, consultant).status_code == 403
    path = f"referrals/{refer(paul, open_case, consultant).json()['id']}"
    assert post(tess, f"{path}/withdrawal", {"reason": "No."}).status_code == 403
    colleague = program(UserFactory.create(role=Role.PATHOLOGIST))
    assert post(colleague, f"{path}/term", {"last_day": day(30)}).status_code == 403
    assert post(colleague, f"{path}/printing", {"is_printed": True}).status_code in {403, 409}
    administrator = program(UserFactory.create(role=Role.ADMINISTRATOR))
    assert post(administrator, f"{path}/withdrawal", {"reason": "Asked to."}).status_code == 200


def test_comments_are_said_read_and_taken_back(
    paul: Client, tess: Client, open_case: Case, technician: User
) -> None:
    members = paul.get("/api/v1/people/members").json()["results"]
    assert technician.pk in [person["id"] for person in members]
    where = f"cases/{open_case.pk}/comments"
    cell = str(cells_of(open_case)[0].pk)
    body = {"text": "Look again.", "cell": cell, "mentions": [technician.pk]}
    said = post(paul, where, body)
    assert (said.status_code, said.json()["mentions"]) == (201, ["Tess Technician"])
    (read,) = tess.get(f"/api/v1/{where}").json()["results"]
    assert (read["text"], read["cell"], read["author"]) == ("Look again.", cell, "Paul Pathologist")
    address = f"/api/v1/comments/{read['id']}"
    assert tess.delete(address).status_code == 403
    assert paul.delete(address).status_code == paul.delete(address).status_code == 204
    (gone,) = tess.get(f"/api/v1/{where}").json()["results"]
    assert (gone["text"], gone["is_retracted"]) == ("", True)


def test_a_comment_is_said_once(paul: Client, open_case: Case) -> None:
    where, key = f"cases/{open_case.pk}/comments", str(uuid.uuid4())
    first = post(paul, where, {"text": "Once."}, key)
    assert post(paul, where, {"text": "Once."}, key).json() == first.json()
    assert post(paul, where, {"text": "Twice."}, key).status_code == 422
    assert CaseComment.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "x" * 2001},
        {"text": "Hm.", "cell": str(uuid.uuid4())},
        {"text": "Hm.", "image": "7"},
        {"text": "Hm.", "mentions": [10**6]},
        {"text": "Hm.", "mentions": "all"},
    ],
)
def test_a_comment_that_cannot_be_is_refused(
    paul: Client, open_case: Case, body: dict[str, Any]
) -> None:
    assert post(paul, f"cases/{open_case.pk}/comments", body).status_code == 422
    assert not CaseComment.objects.exists()
