"""Every address of the API, by the scope that the access table says it needs."""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.enums import Role
from accounts.models import AuditEvent, User
from api.enums import Scope
from api.policies import scopes_of
from classifier.models import Case
from classifier.services import reference_counts
from tests.access.lines import routes
from tests.access.table import TABLE
from tests.api.conftest import MakeToken, Program
from tests.clinical import MakeImage
from tests.factories import UserFactory
from tests.reviewing import MakeCase

DOORS: Mapping[str, Mapping[str, Scope]] = {
    name: line
    for name, line in TABLE.items()
    if name.startswith("api:v1:") and not isinstance(line, tuple)
}
UNNAMED = {name for name in DOORS if "<uuid:" not in routes()[name]}
IMAGES = ("image", "image_file", "image_kind", "field_cells")
REPORTS = {"api:v1:report", "api:v1:report_pdf", "api:v1:report_data"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
CLIENTS = (Role.TECHNICIAN, Role.PATHOLOGIST, Role.ADMINISTRATOR)
Address = Callable[[str], str]


@pytest.fixture(autouse=True)
def _short_streams(settings: Any) -> None:
    """A stream ends at once."""
    settings.API_STREAM_SECONDS = 0.0


def address_of(name: str, pk: object) -> str:
    """Return the address of a door about one record."""
    values = {"uuid": pk, "int": 0, "slug": "json"}
    parts = re.findall(r"<(\w+):(\w+)>", routes()[name])
    return reverse(name, kwargs={word: values[kind] for kind, word in parts})


@pytest.fixture
def address(case: Case, add_picture: MakeImage) -> Address:
    """Return the address of a door, about a case with an image and a report that isn't there."""
    image = add_picture(case)
    kinds = dict.fromkeys(IMAGES, image.pk) | {"patient": case.patient_id}
    return lambda name: address_of(name, kinds.get(name.removeprefix("api:v1:"), case.pk))


def ask(client: Client, method: str, address: str) -> Any:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    response: Any = client.generic(method, address, b"{}", "application/json", headers=headers)
    if response.streaming:
        b"".join(response.streaming_content)
    return response


def test_every_address_of_the_api_names_its_scopes() -> None:
    v1 = {name for name in routes() if name.startswith("api:v1:")}
    assert v1 - set(DOORS) == {"api:v1:token", "api:v1:nowhere"}


@pytest.mark.parametrize("name", DOORS)
def test_each_method_needs_its_scope(
    name: str, address: Address, technician: User, pathologist: User, make_token: MakeToken
) -> None:
    where = address(name)
    for method, scope in DOORS[name].items():
        assert ask(Client(), method, where).status_code == 401
        for owner in (technician, pathologist):
            others = [one for one in scopes_of(owner) if one != scope]
            assert ask(_showing(make_token(owner, *others).text), method, where).status_code == 403
            if scope in scopes_of(owner):
                answer = ask(_showing(make_token(owner, scope).text), method, where)
                assert answer.status_code != 403 or method != "GET"


def _showing(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("name", DOORS)
def test_other_methods_are_unknown(name: str, address: Address, technician: User,
                                   program: Program) -> None:  # fmt: skip
    client = program(technician)
    for method in METHODS:
        if method not in DOORS[name]:
            response = ask(client, method, address(name))
            assert response.status_code == 405, method
            assert set(DOORS[name]) <= set(response["Allow"].replace(" ", "").split(","))


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in DOORS if name not in UNNAMED])
def test_what_is_not_there_is_not_found(name: str, program: Program) -> None:
    for role in CLIENTS:
        owner = UserFactory.create(role=role)
        client = program(owner)
        where = address_of(name, uuid.uuid4())
        for method, scope in DOORS[name].items():
            if scope in scopes_of(owner):
                status = ask(client, method, where).status_code
                assert status in {404, 415, 422, 428}, (method, status)
                if method == "GET":
                    assert status == 404


def test_what_is_read_blind_is_out_of_sight(
    classified_case: MakeCase, administrator: User, program: Program
) -> None:
    """Whoever reads cells blind may see nothing of the patient, by program either."""
    case = classified_case(["neutrophil", "lymphocyte"])
    reader = UserFactory.create(role=Role.PATHOLOGIST)
    client = program(reader)
    assert client.get(f"/api/v1/cases/{case.pk}").status_code == 200
    study = reference_counts.open_study(case_id=case.pk, actor=administrator)
    reference_counts.start_reading(study_id=study.pk, actor=reader)
    image = case.images.all()[0]
    kinds = dict.fromkeys(IMAGES, image.pk) | {"patient": case.patient_id}
    for name in set(DOORS) - REPORTS - UNNAMED:
        if "GET" in DOORS[name]:
            where = address_of(name, kinds.get(name.removeprefix("api:v1:"), case.pk))
            assert ask(client, "GET", where).status_code == 404, name
    assert client.get("/api/v1/cases").json()["results"] == []


def test_roles_without_scopes_get_no_token(db: None) -> None:
    assert scopes_of(UserFactory.create(role=Role.LEARNER)) == ()


def test_a_consultants_token_opens_consultations_alone(
    address: Address, consultant: User, program: Program
) -> None:
    own = {Scope.CONSULTATIONS_READ, Scope.CONSULTATIONS_WRITE}
    assert set(scopes_of(consultant)) == own
    client = program(consultant)
    for name, methods in DOORS.items():
        for method, scope in methods.items():
            status = ask(client, method, address(name)).status_code
            assert (status == 403) is (scope not in own), (name, method, status)


def test_reading_is_audited(case: Case, technician: User, program: Program) -> None:
    program(technician).get(f"/api/v1/cases/{case.pk}")
    assert AuditEvent.objects.get(action="patient.viewed").means.startswith("API token ")
