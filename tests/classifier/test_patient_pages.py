"""Finding, registering and reading patients in the browser."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.models import Case, Patient
from classifier.selectors.patients import read_date
from classifier.services.patients import Identity, register_patient
from tests.clinical import JANE

SignIn = Callable[[User], Client]

TYPED = {
    "mrn": "MRN00777",
    "mrn_issuer": "HVLAB",
    "family_name": "Novak",
    "given_name": "Ada",
    "birth_date": "1991-05-06",
    "sex": "female",
}


@pytest.fixture
def desk(technician: User, client_for: SignIn) -> Client:
    """A technician's browser."""
    return client_for(technician)


def found(desk: Client, text: str, **headers: str) -> str:
    response = desk.post(reverse("classifier:patients"), {"q": text}, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    "text", ["MRN001", "mrn00123", "doe", "Doe, Jane", "jane doe", "1980-01-01", "01.01.1980 doe"]
)
def test_finds_a_patient_by_number_name_or_birth_date(
    desk: Client, patient: Patient, text: str
) -> None:
    assert str(patient.get_absolute_url()) in found(desk, text)


@pytest.mark.parametrize("text", ["MRN002", "Dow", "1980-01-02", "doe 1981-01-01", "%"])
def test_finds_nobody_else(desk: Client, patient: Patient, text: str) -> None:
    assert "No patient matches" in found(desk, text)


def test_answers_htmx_with_the_rows_alone(desk: Client, patient: Patient) -> None:
    fragment = found(desk, "doe", **{"HX-Request": "true"})
    assert str(patient.get_absolute_url()) in fragment
    assert "<html" not in fragment


def test_what_is_searched_for_stays_out_of_the_address(desk: Client, patient: Patient) -> None:
    page = desk.get(reverse("classifier:patients"), {"q": "nobody"}).content.decode()
    assert "Recently registered" in page
    assert 'method="post"' in page


def test_turns_the_pages_of_a_long_list(desk: Client, technician: User) -> None:
    for number in range(30):
        identity = Identity(f"N{number}", "HVLAB", f"Doe{number:02}", "Jo", JANE.birth_date, "male")
        register_patient(actor=technician, identity=identity)
    page = desk.post(reverse("classifier:patients"), {"q": "doe", "page": "2"}).content.decode()
    assert "26\N{EN DASH}30 of 30" in page
    assert "Doe29" in page
    assert "Doe24" not in page


def test_escapes_what_was_typed(desk: Client, db: None) -> None:
    assert "<script>alert" not in found(desk, "<script>alert(1)</script>")


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("1980-01-31", date(1980, 1, 31)),
        ("31.01.1980", date(1980, 1, 31)),
        ("31/01/1980", date(1980, 1, 31)),
        ("19800131", date(1980, 1, 31)),
        ("1980-02-31", None),
        ("MRN00123", None),
    ],
)
def test_reads_a_day_in_the_usual_ways(word: str, day: date | None) -> None:
    assert read_date(word) == day


def test_registers_a_patient(desk: Client, technician: User) -> None:
    response = desk.post(reverse("classifier:patient_register"), TYPED)
    patient = Patient.objects.get(mrn="MRN00777")
    assert response["Location"] == patient.get_absolute_url()
    assert patient.registered_by == technician


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("mrn", "", "required"),
        ("given_name", " ", "required"),
        ("birth_date", "2999-01-01", "future"),
        ("birth_date", "1700-01-01", "130 years"),
        ("birth_date", "31 June", "valid date"),
        ("sex", "", "required"),
    ],
)
def test_names_the_field_that_is_wrong(desk: Client, field: str, value: str, message: str) -> None:
    response = desk.post(reverse("classifier:patient_register"), TYPED | {field: value})
    assert response.status_code == 422
    assert message in str(response.context["form"].errors[field])
    assert not Patient.objects.exists()


def test_refuses_a_number_that_is_taken_and_names_its_owner(desk: Client, patient: Patient) -> None:
    typed = TYPED | {"mrn": patient.mrn, "duplicate_reason": "another person"}
    response = desk.post(reverse("classifier:patient_register"), typed)
    page = response.content.decode()
    assert response.status_code == 422
    assert str(patient.get_absolute_url()) in page
    assert "Register anyway" not in page
    assert Patient.objects.count() == 1


LOOK_ALIKE = TYPED | {"family_name": "DOE", "given_name": "jane", "birth_date": "1980-01-01"}


def test_shows_a_look_alike_before_saving(desk: Client, patient: Patient) -> None:
    page = desk.post(reverse("classifier:patient_register"), LOOK_ALIKE).content.decode()
    assert str(patient.get_absolute_url()) in page
    assert "Register anyway" in page
    assert "This field is required" not in page
    assert Patient.objects.count() == 1


def test_registers_a_look_alike_only_with_a_reason(desk: Client, patient: Patient) -> None:
    url = reverse("classifier:patient_register")
    refused = desk.post(url, LOOK_ALIKE | {"duplicate_reason": " "})
    assert "This field is required" in refused.content.decode()
    desk.post(url, LOOK_ALIKE | {"duplicate_reason": "Twin, identity card seen"})
    twin = Patient.objects.get(mrn="MRN00777")
    event = AuditEvent.objects.get(action="patient.registered", patient_id=twin.pk)
    assert event.reason == "Twin, identity card seen"


def test_reading_a_patient_is_recorded(desk: Client, patient: Patient, technician: User) -> None:
    assert desk.get(patient.get_absolute_url()).status_code == 200
    event = AuditEvent.objects.get(action="patient.viewed")
    assert (event.actor, event.patient_id) == (technician, patient.pk)


def test_a_patients_page_lists_their_cases(desk: Client, case: Case) -> None:
    page = desk.get(case.patient.get_absolute_url()).content.decode()
    assert case.accession_number in page


def test_the_list_asks_the_database_as_often_for_many_as_for_one(
    desk: Client, technician: User, patient: Patient, django_assert_max_num_queries: Callable
) -> None:
    for number in range(20):
        name = f"Doe{number}"
        identity = Identity(f"N{number}", "HVLAB", name, "Jane", JANE.birth_date, "female")
        register_patient(actor=technician, identity=identity)
    with django_assert_max_num_queries(12):
        found(desk, "doe")


def test_the_search_box_opens_a_scanned_case(desk: Client, case: Case) -> None:
    for scanned in (case.accession_number, case.accession_number.replace("-", "").lower()):
        response = desk.post(reverse("classifier:search"), {"q": f" {scanned} "})
        assert response["Location"] == case.get_absolute_url()


def test_the_search_box_lists_cases_and_patients(desk: Client, case: Case) -> None:
    page = desk.post(reverse("classifier:search"), {"q": "doe"}).content.decode()
    assert case.get_absolute_url() in page
    assert case.patient.get_absolute_url() in page


def test_the_search_box_does_not_guess_from_a_mistyped_number(desk: Client, case: Case) -> None:
    wrong = case.accession_number[:-1] + ("A" if case.accession_number[-1] != "A" else "B")
    page = desk.post(reverse("classifier:search"), {"q": wrong}).content.decode()
    assert "No such case" in page
