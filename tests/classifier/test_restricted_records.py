"""A restricted record is open to those who take part in the care, and to nobody else."""

import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import close_old_connections, connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.history import explaining
from accounts.models import AuditEvent, User
from classifier.exceptions import (
    DuplicatePatient,
    GuardFailed,
    NotPermitted,
    TransitionRefused,
)
from classifier.models import Case, Cell, Patient, Restriction, Review
from classifier.selectors.row_owners import path_to_patient
from classifier.services.patients import register_patient
from classifier.services.restrictions import (
    end_naming,
    lift_restriction,
    name_person,
    restrict_patient,
    take_up,
)
from classifier.services.reviews import release
from classifier.services.transitions import transition
from notifications.models import Notice
from reports.models import Report
from tests.clinical import JANE, MakeImage
from tests.factories import UserFactory
from tests.pages import words_of
from tests.restricting import restrict
from tests.reviewing import MakeCase

SignIn = Callable[[User], Client]


def is_open(patient: Patient, user: User) -> bool:
    """Both querysets say the same; what is not open is closed by the restriction."""
    user = User.objects.get(pk=user.pk)
    seen = Patient.objects.visible_to(user).filter(pk=patient.pk).exists()
    assert seen == Case.objects.visible_to(user).filter(patient=patient).exists()
    assert seen != Patient.objects.restricted_for(user).filter(pk=patient.pk).exists()
    return seen


@pytest.fixture
def restriction(administrator: User, case: Case) -> Restriction:
    return restrict(administrator, case.patient)


@pytest.fixture
def stranger(db: None) -> User:
    """A technician who has nothing to do with the case."""
    return UserFactory.create(role=Role.TECHNICIAN, full_name="Theo Technician")


@pytest.mark.usefixtures("restriction")
def test_is_open_to_who_registered_the_case_until_it_is_finished(
    patient: Patient, case: Case, technician: User, stranger: User, pathologist: User
) -> None:
    assert is_open(patient, technician)
    assert not is_open(patient, stranger)
    assert not is_open(patient, pathologist)
    transition(case_id=case.pk, name="cancel", actor=technician, reason="Opened in error.")
    assert not is_open(patient, technician)


def test_is_open_to_who_has_the_case_open_until_it_is_released(
    administrator: User, classified_case: MakeCase, pathologist: User, colleague: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    restrict(administrator, case.patient)
    assert is_open(case.patient, pathologist)
    assert not is_open(case.patient, colleague)
    release(case_id=case.pk, actor=pathologist)
    assert not is_open(case.patient, pathologist)


def test_is_open_to_whom_the_access_list_names(
    administrator: User, restriction: Restriction, patient: Patient, colleague: User
) -> None:
    named = name_person(
        actor=administrator, restriction_id=restriction.pk, user=colleague, reason="Advises us."
    )
    assert is_open(patient, colleague)
    for _ in range(2):
        end_naming(actor=administrator, restriction_id=restriction.pk, named_id=named.pk)
    assert not is_open(patient, colleague)
    assert AuditEvent.objects.filter(action="patient.person_unnamed").count() == 1


def test_nobody_names_themselves_or_somebody_who_reads_no_records(
    administrator: User, restriction: Restriction, consultant: User, technician: User
) -> None:
    for actor, user, refusal in (
        (administrator, administrator, NotPermitted),
        (administrator, consultant, GuardFailed),
        (technician, consultant, NotPermitted),
    ):
        with pytest.raises(refusal):
            name_person(actor=actor, restriction_id=restriction.pk, user=user, reason="So.")
    assert not restriction.named.exists()


def test_only_the_duty_restricts_with_a_reason_and_once(
    administrator: User, technician: User, patient: Patient
) -> None:
    with pytest.raises(NotPermitted):
        restrict(technician, patient)
    with pytest.raises(GuardFailed):
        restrict(administrator, patient, " ")
    made = restrict(administrator, patient)
    again = restrict_patient(
        actor=administrator, patient_id=patient.pk, restriction_id=made.pk, kind="staff", reason="-"
    )
    assert again == made
    with pytest.raises(TransitionRefused):
        restrict(administrator, patient)
    event = AuditEvent.objects.get(action="patient.restricted")
    assert (event.patient_id, event.reason) == (patient.pk, "Works here.")


def test_lifting_opens_the_record_and_tells_who_else_protects_records(
    administrator: User, restriction: Restriction, patient: Patient, stranger: User
) -> None:
    other = UserFactory.create(role=Role.ADMINISTRATOR)
    for _ in range(2):
        lift_restriction(actor=administrator, restriction_id=restriction.pk, reason="Left us.")
    assert is_open_again(patient, stranger)
    assert list(Notice.objects.values_list("recipient", "kind")) == [
        (other.pk, "restriction.lifted")
    ]


def is_open_again(patient: Patient, user: User) -> bool:
    return Patient.objects.visible_to(user).filter(pk=patient.pk).exists()


def test_of_two_who_restrict_at_once_one_wins_and_readers_are_shut_out(
    transactional_db: None, administrator: User, case: Case, stranger: User, client_for: SignIn
) -> None:
    page = client_for(stranger)
    assert page.get(case.get_absolute_url()).status_code == 200
    barrier, outcomes = threading.Barrier(2), []

    def mark() -> None:
        close_old_connections()
        barrier.wait()
        try:
            restrict(administrator, case.patient)
            outcomes.append("set")
        except TransitionRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=mark) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "set"]
    assert page.get(reverse("classifier:case_status", args=[case.pk])).status_code == 404
    answer = page.post(reverse("classifier:case_submit", args=[case.pk]))
    assert answer.status_code == 404
    assert Case.objects.get().status == "registered"


class TestWorklist:
    """Cases of restricted records stand there without identity, and can be worked on."""

    @pytest.fixture
    def waiting(self, classified_case: MakeCase, administrator: User) -> Case:
        case = classified_case(["neutrophil"])
        restrict(administrator, case.patient)
        return case

    def test_names_nobody(self, waiting: Case, colleague: User, client_for: SignIn) -> None:
        words = words_of(client_for(colleague).get("/"))
        assert waiting.accession_number in words
        assert "Restricted record" in words
        assert "MRN00123" not in words
        assert "Jane" not in words

    def test_leads_to_the_door_where_the_case_is_taken_up(
        self, waiting: Case, colleague: User, client_for: SignIn
    ) -> None:
        desk = client_for(colleague)
        review = reverse("classifier:review", args=[waiting.pk])
        door = reverse("classifier:case_restricted", args=[waiting.pk])
        assert desk.get(review).headers["Location"] == door
        assert "Jane" not in words_of(desk.get(door))
        taken = desk.post(reverse("classifier:case_take_up", args=[waiting.pk]))
        assert taken.headers["Location"] == waiting.get_absolute_url()
        assert "Jane" in words_of(desk.get(review))
        assert AuditEvent.objects.get(action="case.taken_up").actor == colleague

    def test_only_whose_step_is_next_takes_up(
        self, waiting: Case, stranger: User, administrator: User, technician: User
    ) -> None:
        for person in (stranger, administrator, technician):
            with pytest.raises(NotPermitted):
                take_up(actor=person, case_id=waiting.pk)

    def test_costs_no_more_queries(
        self,
        waiting: Case,
        colleague: User,
        client_for: SignIn,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        desk = client_for(colleague)
        with django_assert_max_num_queries(21):
            desk.get("/")


@pytest.mark.usefixtures("restriction")
def test_a_typed_name_finds_nothing_and_a_whole_number_the_door(
    patient: Patient, stranger: User, client_for: SignIn
) -> None:
    desk = client_for(stranger)
    for address in ("/search/", "/patients/"):
        for text in ("Doe", "Jane", "MRN0012", "1980-01-01"):
            assert "estricted record" not in words_of(desk.post(address, {"q": text}))
        words = words_of(desk.post(address, {"q": "mrn00123"}))
        assert reverse("classifier:patient_restricted", args=[patient.pk]) in words
        assert "Jane" not in words
    assert AuditEvent.objects.filter(action="patient.number_matched").count() == 2


@pytest.mark.usefixtures("restriction")
def test_a_scanned_label_leads_to_the_door(case: Case, stranger: User, client_for: SignIn) -> None:
    answer = client_for(stranger).post("/search/", {"q": case.accession_number})
    assert answer.headers["Location"] == reverse("classifier:case_restricted", args=[case.pk])


@pytest.mark.usefixtures("restriction")
def test_registering_the_number_again_tells_no_identity(
    stranger: User, client_for: SignIn, patient: Patient
) -> None:
    with pytest.raises(DuplicatePatient) as refusal:
        register_patient(actor=stranger, identity=JANE)
    assert refusal.value.candidates == []
    values = {
        "mrn": JANE.mrn, "mrn_issuer": JANE.mrn_issuer, "family_name": "Roe", "given_name": "Rita",
        "birth_date": "1970-02-02", "sex": "female",
    }  # fmt: skip
    words = words_of(client_for(stranger).post("/patients/new/", values))
    assert reverse("classifier:patient_restricted", args=[patient.pk]) in words
    assert "Jane" not in words


@pytest.mark.usefixtures("restriction")
def test_pictures_and_row_history_are_closed_too(
    case: Case,
    add_picture: MakeImage,
    administrator: User,
    stranger: User,
    client_for: SignIn,
) -> None:
    image = add_picture(case)
    for name in ("image", "thumbnail"):
        address = reverse(f"classifier:{name}", args=[image.pk])
        assert client_for(stranger).get(address).status_code == 404
    record = reverse("accounts:record_history", args=["classifier.patient", case.patient_id])
    words = words_of(client_for(administrator).get(record))
    assert "Restricted record" in words
    assert "Jane" not in words
    assert explaining.withheld(stranger, "classifier.smearimage", [str(image.pk)]) == {
        str(image.pk)
    }


def test_every_followed_record_of_a_patient_leads_to_the_patient() -> None:
    assert path_to_patient(Cell) == "image__case__patient"
    assert path_to_patient(Review) == "case__patient"
    assert path_to_patient(Report) == "case__patient"
    assert path_to_patient(User) is None


def test_who_protects_records_reads_whose_it_is_and_that_is_recorded(
    administrator: User, restriction: Restriction, client_for: SignIn, case: Case
) -> None:
    desk = client_for(administrator)
    assert "MRN00123" not in words_of(desk.get(reverse("classifier:restrictions")))
    assert "MRN00123" in words_of(desk.get(restriction.get_absolute_url()))
    assert AuditEvent.objects.get(action="patient.restriction_viewed").actor == administrator
    readings = reverse("classifier:patient_readings", args=[case.patient_id])
    assert desk.get(readings).status_code == 200
    assert desk.get(case.get_absolute_url()).status_code == 302


def test_the_pages_set_name_take_off_and_lift(
    administrator: User, case: Case, colleague: User, client_for: SignIn
) -> None:
    desk, patient = client_for(administrator), case.patient
    page = reverse("classifier:patient_restrict", args=[patient.pk])
    values = {"restriction_id": uuid.uuid4(), "kind": "public", "reason": "Known to all."}
    assert desk.post(page, values | {"reason": ""}).status_code == 422
    assert desk.post(page, values).status_code == 302
    restriction = Restriction.objects.get()
    naming = reverse("classifier:restriction_name", args=[restriction.pk])
    assert desk.post(naming, {"person": administrator.pk, "reason": "Me."}).status_code == 422
    desk.post(naming, {"person": colleague.pk, "reason": "Advises us."})
    named = restriction.named.get()
    assert "Advises us." in words_of(desk.get(restriction.get_absolute_url()))
    desk.post(reverse("classifier:restriction_name_end", args=[restriction.pk, named.pk]))
    lift = reverse("classifier:restriction_lift", args=[restriction.pk])
    assert desk.post(lift, {"reason": ""}).status_code == 422
    desk.post(lift, {"reason": "No longer."})
    assert "Lifted on" in words_of(desk.get(restriction.get_absolute_url()))
    assert is_open_again(patient, colleague)
