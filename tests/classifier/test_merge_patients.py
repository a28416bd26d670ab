"""Merging two records of one person, and taking it back."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEvent, User
from classifier.exceptions import (
    DuplicatePatient,
    EditConflict,
    GuardFailed,
    NotPermitted,
    TransitionRefused,
)
from classifier.models import Case, Patient, PatientMerge
from classifier.selectors.merging import list_duplicates, suggest_duplicates
from classifier.selectors.patients import find_patients
from classifier.selectors.restrictions import find_by_number
from classifier.services import merging
from classifier.services.patients import register_patient
from classifier.services.restrictions import lift_restriction
from classifier.stated_patients import differences
from ml.dicom import StatedPatient
from notifications.models import Notice
from tests.clinical import JANE
from tests.merging import (
    STRANGER,
    TWIN,
    at_once,
    case_of,
    merge,
    patient_of,
    register,
    unmerge,
)
from tests.restricting import restrict
from tests.reviewing import MakeCase


@pytest.fixture
def twin(technician: User, patient: Patient) -> Patient:
    """The same person, registered by another issuer."""
    return register(technician)


@pytest.fixture
def stranger(technician: User) -> Patient:
    return register(technician, STRANGER)


class TestMerging:
    def test_the_survivor_has_all_cases_and_the_merged_record_points_to_it(
        self, twin: Patient, patient: Patient, case: Case, technician: User, administrator: User
    ) -> None:
        other = case_of(twin, technician)
        merge(twin, patient, administrator)

        twin.refresh_from_db()
        assert (twin.merged_into, twin.standing) == (patient, patient)
        assert {patient_of(case), patient_of(other)} == {patient.pk}
        assert (twin.mrn, twin.mrn_issuer) == (TWIN.mrn, TWIN.mrn_issuer)

    def test_both_trails_say_so_without_names(
        self, twin: Patient, patient: Patient, technician: User, administrator: User
    ) -> None:
        case = case_of(twin, technician)
        merge(twin, patient, administrator)

        absorbed = AuditEvent.objects.get(action="patient.absorbed")
        merged = AuditEvent.objects.get(action="patient.merged")
        moved = AuditEvent.objects.get(action="case.merged")
        assert (absorbed.patient_id, merged.patient_id) == (patient.pk, twin.pk)
        assert moved.before == {"patient": str(twin.pk)}
        assert moved.after == {"patient": str(patient.pk)}
        assert (absorbed.after or {})["cases"] == [case.accession_number]
        assert TWIN.mrn not in absorbed.payload + merged.payload + moved.payload

    def test_the_same_merge_again_does_nothing(
        self, twin: Patient, patient: Patient, administrator: User
    ) -> None:
        first = merge(twin, patient, administrator)
        assert merge(twin, patient, administrator) == first
        assert AuditEvent.objects.filter(action="patient.merged").count() == 1

    def test_another_birth_date_and_sex_have_to_be_named(
        self, stranger: Patient, patient: Patient, administrator: User
    ) -> None:
        with pytest.raises(GuardFailed, match="birth date and sex"):
            merge(stranger, patient, administrator)
        with pytest.raises(GuardFailed, match="differ in sex"):
            merge(stranger, patient, administrator, named=["birth_date"])
        done = merge(stranger, patient, administrator, named=["birth_date", "sex"])
        assert done.differences == ["birth_date", "sex"]

    def test_an_unknown_sex_contradicts_nothing(
        self, technician: User, patient: Patient, administrator: User
    ) -> None:
        assert merge(register(technician, sex="unknown"), patient, administrator).differences == []

    def test_needs_a_reason_and_two_records(
        self, twin: Patient, patient: Patient, administrator: User
    ) -> None:
        with pytest.raises(GuardFailed, match="reason"):
            merge(twin, patient, administrator, reason=" ")
        with pytest.raises(GuardFailed, match="different records"):
            merge(twin, twin, administrator)

    def test_a_restricted_record_is_neither_merged_nor_taken_apart(
        self, twin: Patient, patient: Patient, administrator: User
    ) -> None:
        restriction = restrict(administrator, twin)
        for merged, survivor in ((twin, patient), (patient, twin)):
            with pytest.raises(GuardFailed, match="is restricted"):
                merge(merged, survivor, administrator)
        lift_restriction(actor=administrator, restriction_id=restriction.pk, reason="Left.")
        done = merge(twin, patient, administrator)
        restrict(administrator, patient)
        with pytest.raises(GuardFailed, match="is restricted"):
            unmerge(done, administrator)

    def test_a_restriction_closes_the_records_that_were_merged_into_it(
        self, twin: Patient, patient: Patient, administrator: User, pathologist: User
    ) -> None:
        merge(twin, patient, administrator)
        with pytest.raises(TransitionRefused, match="was merged"):
            restrict(administrator, twin)
        restrict(administrator, patient)
        assert not Patient.objects.visible_to(pathologist).filter(pk=twin.pk).exists()
        assert find_by_number(pathologist, TWIN.mrn) == [patient]
        assert find_by_number(pathologist, TWIN.family_name) == []

    @pytest.mark.parametrize("person", ["technician", "pathologist", "consultant", "learner"])
    def test_only_administrators_merge(
        self, person: str, twin: Patient, patient: Patient, request: pytest.FixtureRequest
    ) -> None:
        with pytest.raises(NotPermitted):
            merge(twin, patient, request.getfixturevalue(person))
        assert not PatientMerge.objects.exists()

    def test_a_record_is_merged_once(
        self, twin: Patient, patient: Patient, stranger: Patient, administrator: User
    ) -> None:
        merge(twin, patient, administrator)
        with pytest.raises(EditConflict, match="OLD-77"):
            merge(twin, stranger, administrator, named=["birth_date", "sex"])
        with pytest.raises(EditConflict, match="OLD-77"):
            merge(stranger, twin, administrator, named=["birth_date", "sex"])

    def test_a_chain_ends_at_the_last_record(
        self,
        twin: Patient,
        patient: Patient,
        stranger: Patient,
        technician: User,
        administrator: User,
    ) -> None:
        case = case_of(twin, technician)
        merge(twin, patient, administrator)
        merge(patient, stranger, administrator, named=["birth_date", "sex"])
        assert {row.merged_into for row in Patient.objects.exclude(pk=stranger.pk)} == {stranger}
        assert patient_of(case) == stranger.pk


class TestMeanwhile:
    def test_the_reviewer_who_has_a_case_open_is_told(
        self,
        classified_case: MakeCase,
        patient: Patient,
        twin: Patient,
        pathologist: User,
        administrator: User,
    ) -> None:
        classified_case(["neutrophil"], in_review=True)
        merge(patient, twin, administrator)
        notice = Notice.objects.get(kind="case.patient_changed")
        assert notice.recipient == pathologist

    def test_what_dies_halfway_changes_nothing(
        self,
        twin: Patient,
        patient: Patient,
        technician: User,
        administrator: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        case = case_of(twin, technician)

        def die(*_: object, **__: object) -> None:
            raise SystemExit

        monkeypatch.setattr(merging, "record_for_both", die)
        with pytest.raises(SystemExit):
            merge(twin, patient, administrator)
        twin.refresh_from_db()
        assert twin.merged_into is None
        assert patient_of(case) == twin.pk
        assert not PatientMerge.objects.exists()
        monkeypatch.undo()
        merge(twin, patient, administrator)
        assert patient_of(case) == patient.pk

    def test_a_file_that_states_the_merged_number_is_this_patients(
        self, patient: Patient, technician: User, administrator: User
    ) -> None:
        old = register(technician, family_name="Dough")
        stated = StatedPatient(old.mrn, "Dough", "Jane", old.birth_date)
        assert "medical record number" in differences(stated, patient)
        merge(old, patient, administrator)
        assert differences(stated, patient) == []


class TestTheDatabase:
    def test_refuses_a_case_of_a_merged_record(
        self, twin: Patient, patient: Patient, case: Case, administrator: User
    ) -> None:
        merge(twin, patient, administrator)
        with pytest.raises(IntegrityError, match="merged into another"), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(patient=twin)

    def test_refuses_a_second_standing_merge(
        self, twin: Patient, patient: Patient, stranger: Patient, administrator: User
    ) -> None:
        done = merge(twin, patient, administrator)
        with pytest.raises(IntegrityError, match="merge_one_standing"), transaction.atomic():
            PatientMerge.objects.create(
                merged=twin,
                survivor=stranger,
                reason="x",
                merged_by=administrator,
                merged_at=done.merged_at,
            )


class TestFinding:
    @pytest.mark.parametrize("text", ["OLD-77", "Dough", "dough jane", "1981-02-03"])
    def test_what_the_merged_record_says_finds_the_survivor(
        self, text: str, patient: Patient, technician: User, administrator: User, case: Case
    ) -> None:
        other = register(technician, family_name="Dough", birth_date=date(1981, 2, 3))
        merge(other, patient, administrator, named=["birth_date"])
        assert list(find_patients(technician, text)) == [patient]
        if text != "1981-02-03":
            assert list(Case.objects.matching(text)) == [case]

    def test_a_merged_number_is_taken_by_the_survivor(
        self, twin: Patient, patient: Patient, technician: User, administrator: User
    ) -> None:
        merge(twin, patient, administrator)
        with pytest.raises(DuplicatePatient) as refusal:
            register_patient(actor=technician, identity=TWIN, duplicate_reason="x")
        assert refusal.value.candidates == [patient]

    def test_a_case_of_the_merged_record_opens_at_the_survivor(
        self, twin: Patient, patient: Patient, technician: User, administrator: User
    ) -> None:
        merge(twin, patient, administrator)
        assert case_of(twin, technician).patient == patient

    def test_suggests_the_same_name_and_birth_or_number_and_merges_nothing(
        self, twin: Patient, patient: Patient, technician: User, administrator: User
    ) -> None:
        namesake = register(technician, STRANGER, mrn=JANE.mrn, mrn_issuer="CITY")
        assert set(suggest_duplicates(administrator, patient)) == {twin, namesake}
        groups = {group.shared: set(group.patients) for group in list_duplicates(administrator)}
        assert groups == {
            "Same name and birth date": {patient, twin},
            "Same number of another issuer": {patient, namesake},
        }
        assert not Patient.objects.exclude(merged_into=None).exists()
        merge(twin, patient, administrator)
        assert suggest_duplicates(administrator, patient) == [namesake]


class TestTakingBack:
    def test_everything_is_as_it_was(
        self, twin: Patient, patient: Patient, case: Case, technician: User, administrator: User
    ) -> None:
        other = case_of(twin, technician)
        done = unmerge(merge(twin, patient, administrator), administrator)

        twin.refresh_from_db()
        assert twin.merged_into is None
        assert (patient_of(case), patient_of(other)) == (patient.pk, twin.pk)
        assert done.undone_by == administrator
        events = AuditEvent.objects.filter(action__in=["patient.unmerged", "patient.released"])
        assert {event.patient_id for event in events} == {twin.pk, patient.pk}

    def test_again_does_nothing(self, twin: Patient, patient: Patient, administrator: User) -> None:
        done = merge(twin, patient, administrator)
        unmerge(done, administrator)
        unmerge(done, administrator)
        assert AuditEvent.objects.filter(action="patient.unmerged").count() == 1
        assert merge(twin, patient, administrator) != done

    def test_each_later_case_goes_where_the_person_says(
        self, twin: Patient, patient: Patient, technician: User, administrator: User
    ) -> None:
        done = merge(twin, patient, administrator)
        stays, leaves = case_of(patient, technician), case_of(patient, technician)
        with pytest.raises(EditConflict, match="each case"):
            unmerge(done, administrator, {stays: patient})
        unmerge(done, administrator, {stays: patient, leaves: twin})
        assert (patient_of(stays), patient_of(leaves)) == (patient.pk, twin.pk)

    def test_a_later_case_goes_to_nobody_else(
        self,
        twin: Patient,
        patient: Patient,
        stranger: Patient,
        technician: User,
        administrator: User,
    ) -> None:
        done = merge(twin, patient, administrator)
        later = case_of(patient, technician)
        with pytest.raises(EditConflict):
            unmerge(done, administrator, {later: stranger})

    def test_a_chain_is_taken_back_from_its_end(
        self,
        twin: Patient,
        patient: Patient,
        stranger: Patient,
        technician: User,
        administrator: User,
    ) -> None:
        case = case_of(twin, technician)
        first = merge(twin, patient, administrator)
        second = merge(patient, stranger, administrator, named=["birth_date", "sex"])
        with pytest.raises(GuardFailed, match="Take that merge back first"):
            unmerge(first, administrator)
        unmerge(second, administrator)
        twin.refresh_from_db()
        assert (twin.merged_into, patient_of(case)) == (patient, patient.pk)
        unmerge(first, administrator)
        assert patient_of(case) == twin.pk

    def test_needs_the_duty_and_a_reason(
        self, twin: Patient, patient: Patient, technician: User, administrator: User
    ) -> None:
        done = merge(twin, patient, administrator)
        with pytest.raises(NotPermitted):
            unmerge(done, technician)
        with pytest.raises(GuardFailed, match="reason"):
            unmerge(done, administrator, reason="")


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_the_same_merge_is_made_once(
        self, twin: Patient, patient: Patient, administrator: User
    ) -> None:
        one, other = at_once(*[lambda: merge(twin, patient, administrator)] * 2)
        assert one == other
        assert AuditEvent.objects.filter(action="patient.merged").count() == 1

    def test_opposite_merges_have_one_winner(
        self, twin: Patient, patient: Patient, administrator: User
    ) -> None:
        outcomes = at_once(
            lambda: merge(twin, patient, administrator),
            lambda: merge(patient, twin, administrator),
        )
        assert sorted(isinstance(one, PatientMerge) for one in outcomes) == [False, True]
        assert Patient.objects.exclude(merged_into=None).count() == 1

    def test_a_chain_never_points_past_its_end(
        self, twin: Patient, patient: Patient, stranger: Patient, administrator: User
    ) -> None:
        named = ["birth_date", "sex"]
        at_once(
            lambda: merge(twin, patient, administrator),
            lambda: merge(patient, stranger, administrator, named=named),
        )
        assert not Patient.objects.filter(merged_into__merged_into__isnull=False).exists()

    def test_a_case_that_is_opened_meanwhile_ends_with_the_survivor(
        self, twin: Patient, patient: Patient, technician: User, administrator: User
    ) -> None:
        at_once(
            lambda: merge(twin, patient, administrator),
            lambda: case_of(twin, technician),
        )
        assert Case.objects.get().patient == patient
