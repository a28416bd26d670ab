"""Telemedicine: a consultant's own program sees the referred case alone, and answers it."""

import io
import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from PIL import Image
from rest_framework.test import RequestsClient

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.models import Case
from consultation.models import Opinion, Referral
from consultation.services.referrals import Request, refer_case, withdraw_referral
from tests.api.conftest import MakeToken, Program
from tests.api.sending import post
from tests.factories import UserFactory
from tests.reviewing import MakeCase, cells_of

SAID = {"text": "They are reactive.", "diagnosis": "", "impressions": {"blast": "Reactive."}}
Refer = Callable[..., Referral]


@pytest.fixture
def case_to_refer(classified_case: MakeCase) -> Case:
    return classified_case(["neutrophil", "unidentified"], in_review=True)


@pytest.fixture
def refer(case_to_refer: Case, pathologist: User, consultant: User) -> Refer:
    def make(**shows: bool) -> Referral:
        return refer_case(
            case_id=case_to_refer.pk,
            actor=pathologist,
            referral_id=uuid.uuid4(),
            wanted=Request(consultant.pk, "Are these blasts?", **shows),
        )

    return make


@pytest.fixture
def cora(consultant: User, program: Program) -> Client:
    return program(consultant)


def put_draft(client: Client, referral: Referral, body: Any, tag: str | None) -> Any:
    headers = {"If-Match": tag} if tag else {}
    where = f"/api/v1/consultations/{referral.pk}/draft"
    return client.put(where, body, content_type="application/json", headers=headers)


def test_the_referred_case_is_shown_without_identity(
    cora: Client, refer: Refer, case_to_refer: Case
) -> None:
    referral = refer()
    (row,) = cora.get("/api/v1/consultations").json()["results"]
    assert (row["id"], row["state"]) == (str(referral.pk), "sent")
    response = cora.get(f"/api/v1/consultations/{referral.pk}")
    told = response.json()
    assert (told["identity"], told["clinical_details"]) == (None, "")
    assert len(told["cells"]) == 2
    patient, words = case_to_refer.patient, json.dumps(told)
    hidden = (
        patient.mrn,
        str(patient.pk),
        patient.birth_date.isoformat(),
        case_to_refer.accession_number,
        str(case_to_refer.pk),
        f'"{patient.family_name}',
    )
    assert not [each for each in hidden if each in words]
    assert AuditEvent.objects.filter(action="referral.opened").count() == 1


def test_the_handbooks_program_answers_what_waits(
    refer: Refer, consultant: User, make_token: MakeToken
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    (code,) = re.findall(r"```python consultation\n(.*?)```", page, re.DOTALL)
    program: dict[str, Any] = {}
    exec(code, program)
    session, said = RequestsClient(), []
    session.headers["Authorization"] = f"Bearer {make_token(consultant).text}"

    def judge(question: str, seen: Any, pictures: dict[str, bytes]) -> str:
        said.append((question, len(seen["cells"]), {data[:2] for data in pictures.values()}))
        return "They are."

    refer()
    for _ in range(2):
        program["answer_what_waits"](session, "http://testserver", judge)
    assert said == [("Are these blasts?", 2, {b"\xff\xd8"})]
    assert Opinion.objects.get().text == "They are."


def test_identity_is_shown_where_the_referrer_meant_it(cora: Client, refer: Refer) -> None:
    told = cora.get(f"/api/v1/consultations/{refer(shows_identity=True).pk}").json()
    assert told["identity"]["mrn"] == "MRN00123"


def test_pictures_are_marked_for_their_reader(
    cora: Client, refer: Refer, case_to_refer: Case
) -> None:
    cell = cells_of(case_to_refer)[0]
    where = f"/api/v1/consultations/{refer().pk}"
    response = cora.get(f"{where}/cells/{cell.pk}/picture")
    assert response["Cache-Control"] == "private, no-store"
    picture = Image.open(io.BytesIO(response.content)).convert("RGB")
    with cell.image.file.open("rb") as file:
        plain = Image.open(file).convert("RGB").resize(picture.size, Image.Resampling.LANCZOS)
    assert picture.tobytes() != plain.tobytes()
    assert AuditEvent.objects.filter(action="referral.picture_viewed").count() == 1
    for kind in ("cells", "fields"):
        assert cora.get(f"{where}/{kind}/{uuid.uuid4()}/picture").status_code == 404


def test_drafts_are_not_overwritten_unseen(cora: Client, refer: Refer) -> None:
    referral = refer()
    first = cora.get(f"/api/v1/consultations/{referral.pk}/draft")["ETag"]
    assert put_draft(cora, referral, SAID, None).status_code == 428
    written = put_draft(cora, referral, SAID, first)
    assert (written.status_code, written.json()) == (200, SAID)
    assert put_draft(cora, referral, SAID | {"text": "Other."}, first).status_code == 412
    assert put_draft(cora, referral, SAID | {"text": "Other."}, written["ETag"]).status_code == 200


def test_an_opinion_is_given_once_and_added_to(cora: Client, refer: Refer) -> None:
    referral = refer()
    where, key = f"consultations/{referral.pk}/opinions", str(uuid.uuid4())
    first = post(cora, where, SAID, key)
    again = post(cora, where, SAID, key)
    assert (first.status_code, again.json()) == (201, first.json())
    assert first.json()["author"] == "Cora Consultant"
    post(cora, where, {"text": "One more remark."})
    told = cora.get(f"/api/v1/consultations/{referral.pk}").json()
    assert [each["text"] for each in told["opinions"]] == [SAID["text"], "One more remark."]
    assert told["referral"]["state"] == "answered"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": " "},
        {"text": "x" * 10_001},
        {"text": "Yes.", "impressions": {"lizard": "Green."}},
        {"text": "Yes.", "impressions": {"blast": "x" * 301}},
        {"text": "Yes.", "signed": True},
        {"text": 7},
    ],
)
def test_an_opinion_that_says_nothing_right_is_refused(
    cora: Client, refer: Refer, body: dict[str, Any]
) -> None:
    assert post(cora, f"consultations/{refer().pk}/opinions", body).status_code == 422
    assert not Opinion.objects.exists()


@pytest.mark.parametrize("role", [Role.CONSULTANT, Role.PATHOLOGIST])
def test_nobody_sees_a_case_through_anothers_referral(
    refer: Refer, program: Program, role: Role
) -> None:
    referral, client = refer(), program(UserFactory.create(role=role))
    assert client.get("/api/v1/consultations").json()["results"] == []
    assert client.get(f"/api/v1/consultations/{referral.pk}").status_code == 404
    assert post(client, f"consultations/{referral.pk}/opinions", SAID).status_code == 404
    assert put_draft(client, referral, SAID, '"x"').status_code == 404


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_what_has_ended_is_out_of_sight(
    cora: Client, refer: Refer, pathologist: User, case_to_refer: Case, is_withdrawn: bool
) -> None:
    referral = refer()
    later = referral.created_at + timedelta(seconds=1)
    if is_withdrawn:
        withdraw_referral(referral=referral, actor=pathologist, reason="Wrong case.")
    else:
        Referral.objects.filter(pk=referral.pk).update(expires_at=later)
    with time_machine.travel(later + timedelta(seconds=1), tick=False):
        where = f"/api/v1/consultations/{referral.pk}"
        cell = cells_of(case_to_refer)[0].pk
        for address in (where, f"{where}/draft", f"{where}/cells/{cell}/picture"):
            assert cora.get(address).status_code == 404
        assert post(cora, f"consultations/{referral.pk}/opinions", SAID).status_code == 404
        (row,) = cora.get("/api/v1/consultations").json()["results"]
    assert (row["question"], row["is_open"]) == ("", False)


def test_a_consultant_whose_role_was_taken_sees_nothing(
    cora: Client, refer: Refer, consultant: User
) -> None:
    referral = refer()
    consultant.groups.clear()
    assert cora.get(f"/api/v1/consultations/{referral.pk}").status_code == 403
