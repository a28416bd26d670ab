"""Programs and merged records."""

from django.test import Client

from accounts.models import User
from classifier.models import Case, Patient
from tests.api.sending import new_case, post
from tests.merging import TWIN, merge, register


def test_a_merged_number_finds_the_survivor_and_the_record_says_so(
    tess: Client, patient: Patient, technician: User, administrator: User
) -> None:
    twin = register(technician)
    merge(twin, patient, administrator)
    answer = post(tess, "patients/find", {"mrn": TWIN.mrn, "mrn_issuer": TWIN.mrn_issuer}).json()
    assert [item["id"] for item in answer["results"]] == [str(patient.pk)]
    merged = tess.get(f"/api/v1/patients/{twin.pk}").json()
    assert merged["merged_into"] == str(patient.pk)
    assert tess.get(f"/api/v1/patients/{patient.pk}").json()["merged_into"] is None


def test_a_case_of_a_merged_record_is_opened_for_the_survivor(
    tess: Client, patient: Patient, technician: User, administrator: User
) -> None:
    twin = register(technician)
    merge(twin, patient, administrator)
    case = post(tess, "cases", new_case(twin)).json()
    assert case["patient"] == str(patient.pk)
    assert Case.objects.get().patient == patient
    for one in (twin, patient):
        listed = tess.get("/api/v1/cases", {"patient": str(one.pk)}).json()
        assert [item["id"] for item in listed["results"]] == [case["id"]]
