"""A case of the wrong patient: given to the right one, or registered again for them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.exceptions import (
    GuardFailed,
    InvalidSpecimen,
    NotPermitted,
    TransitionRefused,
)
from classifier.models import Case, Patient, PatientCorrection
from classifier.services import reviews
from classifier.services.images import remove_image
from classifier.services.registering_again import register_again
from classifier.services.transitions import transition
from classifier.services.wrong_patients import correct_patient
from tests.clinical import MakeImage
from tests.merging import STRANGER, at_once, case_of, merge, patient_of, register
from tests.reviewing import Correct, MakeCase, human_marks

WHY = "The label was on the wrong tube."
READ = ["neutrophil", "lymphocyte", "unidentified"]


@pytest.fixture
def right(technician: User, patient: Patient) -> Patient:
    """Whose blood it is: another person, man and older."""
    return register(technician, STRANGER)


def correct_to(case: Case, right: Patient, actor: User, reason: str = WHY) -> Case:
    return correct_patient(case_id=case.pk, actor=actor, right_id=right.pk, reason=reason)


def again(case: Case, right: Patient, actor: User, reason: str = WHY) -> Case:
    return register_again(case_id=case.pk, actor=actor, right_id=right.pk, reason=reason)


@pytest.fixture
def rejected(classified_case: MakeCase, correct: Correct, pathologist: User) -> Case:
    """A case with marks that was rejected under review."""
    case = classified_case(READ, in_review=True)
    correct(case, [2], "monocyte")
    return reviews.reject(case_id=case.pk, actor=pathologist, reason="Wrong patient.")


class TestBeforeSigning:
    def test_the_case_goes_to_the_right_patient_and_both_trails_say_so(
        self, case: Case, patient: Patient, right: Patient, technician: User
    ) -> None:
        assert correct_to(case, right, technician).patient == right
        corrected = AuditEvent.objects.get(action="case.patient_corrected")
        left = AuditEvent.objects.get(action="case.patient_left")
        assert (corrected.patient_id, left.patient_id) == (right.pk, patient.pk)
        assert corrected.before == {"patient": str(patient.pk)}
        assert PatientCorrection.objects.get().reason == WHY

    def test_the_same_again_does_nothing(
        self, case: Case, right: Patient, technician: User
    ) -> None:
        correct_to(case, right, technician)
        correct_to(case, right, technician)
        assert PatientCorrection.objects.count() == 1

    def test_an_open_review_begins_anew_where_other_limits_hold(
        self, classified_case: MakeCase, technician: User
    ) -> None:
        born = timezone.localdate() - timedelta(days=400)
        child = register(technician, STRANGER, birth_date=born)
        case = correct_to(classified_case(READ, in_review=True), child, technician)
        assert case.status == CaseStatus.AWAITING_REVIEW
        assert case.reviews.get().outcome == ReviewOutcome.RELEASED
        assert PatientCorrection.objects.get().restarted_review

    def test_an_open_review_goes_on_where_the_same_limits_hold(
        self, classified_case: MakeCase, technician: User
    ) -> None:
        twin = register(technician)
        case = correct_to(classified_case(READ, in_review=True), twin, technician)
        assert case.status == CaseStatus.IN_REVIEW
        assert not PatientCorrection.objects.get().restarted_review

    def test_needs_a_reason_and_somebody_born_before(
        self, case: Case, right: Patient, technician: User
    ) -> None:
        with pytest.raises(GuardFailed, match="reason"):
            correct_to(case, right, technician, reason=" ")
        Patient.objects.filter(pk=right.pk).update(birth_date=date(2999, 1, 1))
        with pytest.raises(InvalidSpecimen):
            correct_to(case, right, technician)

    @pytest.mark.parametrize("person", ["pathologist", "administrator", "consultant", "learner"])
    def test_only_who_registers_patients(
        self, person: str, case: Case, right: Patient, request: pytest.FixtureRequest
    ) -> None:
        with pytest.raises(NotPermitted):
            correct_to(case, right, request.getfixturevalue(person))

    def test_an_ended_case_stays_where_it_is(
        self, rejected: Case, right: Patient, technician: User
    ) -> None:
        with pytest.raises(TransitionRefused, match="rejected"):
            correct_to(rejected, right, technician)

    def test_a_merged_record_stands_for_its_survivor(
        self, case: Case, right: Patient, technician: User, administrator: User
    ) -> None:
        old = register(technician, replace(STRANGER, mrn="OLD-1"))
        merge(old, right, administrator)
        assert correct_to(case, old, technician).patient == right


class TestRegisteringAgain:
    def test_the_new_case_has_pictures_readings_and_marks(
        self, rejected: Case, right: Patient, technician: User, pathologist: User
    ) -> None:
        case = again(rejected, right, technician)

        assert (case.patient, case.status) == (right, CaseStatus.REGISTERED)
        assert case.accession_number != rejected.accession_number
        assert list(case.images.values_list("original_sha256", flat=True)) == list(
            rejected.images.values_list("original_sha256", flat=True)
        )
        assert human_marks(case) == human_marks(rejected) == ["", "", "monocyte"]
        assert [image.runs.get().predictions.get().cell_type for image in case.images.all()] == READ
        carried = case.reviews.get()
        assert (carried.outcome, carried.reviewer) == (ReviewOutcome.CARRIED_OVER, pathologist)
        assert carried.corrections.get().created_by == pathologist

    def test_its_origin_is_kept_and_the_old_case_stays(
        self, rejected: Case, patient: Patient, right: Patient, technician: User
    ) -> None:
        case = again(rejected, right, technician)
        assert (case.origin.source, case.origin.reason) == (rejected, WHY)
        assert patient_of(rejected) == patient.pk
        events = AuditEvent.objects.filter(action="case.registered_again")
        assert {event.patient_id for event in events} == {patient.pk, right.pk}
        assert (events[0].after or {})["images"] == 3

    def test_it_is_made_once(
        self, rejected: Case, patient: Patient, right: Patient, technician: User
    ) -> None:
        case = again(rejected, right, technician)
        assert again(rejected, right, technician) == case
        with pytest.raises(TransitionRefused, match=case.accession_number):
            again(rejected, register(technician), technician)

    def test_a_picture_that_two_cases_share_outlives_one_of_them(
        self, case: Case, right: Patient, technician: User, add_picture: MakeImage
    ) -> None:
        picture = add_picture(case)
        transition(case_id=case.pk, name="reject", actor=technician, reason="Wrong patient.")
        copy = again(case, right, technician).images.get()
        assert copy.file.name == picture.file.name
        remove_image(image=copy, actor=technician)
        with picture.file.open("rb") as file:
            assert file.read(8).startswith(b"\x89PNG")

    def test_refuses_a_case_that_stands_and_the_same_patient(
        self, case: Case, rejected: Case, patient: Patient, right: Patient, technician: User
    ) -> None:
        other = case_of(patient, technician)
        with pytest.raises(TransitionRefused, match="registered"):
            again(other, right, technician)
        with pytest.raises(GuardFailed, match="under whom"):
            again(rejected, patient, technician)
        with pytest.raises(GuardFailed, match="reason"):
            again(rejected, right, technician, reason="")

    def test_only_who_registers_patients(
        self, rejected: Case, right: Patient, administrator: User
    ) -> None:
        with pytest.raises(NotPermitted):
            again(rejected, right, administrator)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_case(rejected: Case, right: Patient, technician: User) -> None:
    one, other = at_once(*[lambda: again(rejected, right, technician)] * 2)
    assert one == other
    assert Case.objects.count() == 2
