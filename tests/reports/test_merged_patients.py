"""Reports of merged records and of the wrong patient: what was signed, and what counts as whose."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.exceptions import DomainError, GuardFailed, TransitionRefused
from classifier.models import Case, Patient
from classifier.selectors.morphology import previous_findings
from classifier.services import reviews
from classifier.services.cases import submit_case
from classifier.services.registering_again import register_again
from classifier.services.transitions import transition
from classifier.services.wrong_patients import correct_patient
from reports.drafting import draft_report
from reports.enums import Issue, SignatureMeaning
from reports.models import Report
from reports.previous import list_previous, list_results
from reports.services.cancelling import cancel_interims
from reports.services.reading import read_pdf
from reports.services.sign_off import Intent, sign_off_case
from reports.services.withdrawing import Declaration, confirm_withdrawal, request_withdrawal
from tests.merging import STRANGER, merge, register, unmerge
from tests.pages import text_of, words_of
from tests.reports.conftest import Sign, intent_for, proof_of
from tests.reports.history import MakeReport, OpenCase
from tests.reviewing import human_marks

ClientFor = Callable[[User], Client]
WHY = "The blood was that of another patient."
SIX = ["neutrophil"] * 4 + ["lymphocyte"] * 2

pytestmark = pytest.mark.usefixtures("empty_cache")


@pytest.fixture
def right(technician: User, patient: Patient) -> Patient:
    return register(technician, STRANGER)


@pytest.fixture
def withdraw(pathologist: User, administrator: User) -> Callable[[Report], Report]:
    """Withdraw a report: one asks, another confirms."""

    def ask_and_confirm(report: Report) -> Report:
        asked = request_withdrawal(
            actor=pathologist,
            declaration=Declaration(uuid.uuid4(), report.pk, WHY),
            reauthentication=proof_of(pathologist),
        )
        return confirm_withdrawal(
            request_id=asked.pk, actor=administrator, reauthentication=proof_of(administrator)
        )

    return ask_and_confirm


class TestMerged:
    def test_a_link_to_the_merged_records_reports_lists_those_of_the_one_that_stands(
        self,
        ready_case: Case,
        sign: Sign,
        patient: Patient,
        right: Patient,
        administrator: User,
        client_for: ClientFor,
    ) -> None:
        sign(ready_case)
        merge(patient, right, administrator, named=["birth_date", "sex"])
        page = text_of(client_for(administrator).get(f"/reports/?patient={patient.pk}"))
        assert "Only Roe, Richard" in page
        assert ready_case.accession_number in page

    def test_a_signed_report_stays_byte_for_byte_and_its_page_says_whose_it_names(
        self,
        ready_case: Case,
        sign: Sign,
        patient: Patient,
        right: Patient,
        administrator: User,
        client_for: ClientFor,
    ) -> None:
        report = sign(ready_case)
        content, pdf = report.content, read_pdf(report, actor=administrator)
        done = merge(patient, right, administrator, named=["birth_date", "sex"])

        report = Report.objects.get(pk=report.pk)
        assert (report.content, read_pdf(report, actor=administrator)) == (content, pdf)
        page = words_of(client_for(administrator).get(report.get_absolute_url()))
        assert "Signed under another record" in page
        assert patient.mrn in page
        assert right.mrn in page
        unmerge(done, administrator)
        page = words_of(client_for(administrator).get(report.get_absolute_url()))
        assert "Signed under another record" not in page

    def test_what_was_prepared_under_the_old_identity_is_not_signed(
        self, ready_case: Case, patient: Patient, right: Patient, pathologist: User,
        administrator: User, sign: Sign,
    ) -> None:  # fmt: skip
        prepared = intent_for(ready_case)
        merge(patient, right, administrator, named=["birth_date", "sex"])
        with pytest.raises(DomainError):
            sign_off_case(
                case_id=ready_case.pk,
                actor=pathologist,
                intent=prepared,
                reauthentication=proof_of(pathologist),
            )
        assert sign(ready_case).says.patient.mrn == right.mrn

    def test_results_of_both_count_as_previous_and_no_longer_once_taken_back(
        self,
        open_counted: OpenCase,
        report_of: MakeReport,
        technician: User,
        administrator: User,
        patient: Patient,
    ) -> None:
        old = open_counted(SIX, hours_ago=50)
        report_of(old)
        other = register(technician)
        done = merge(patient, other, administrator)
        now = open_counted(SIX, hours_ago=3)
        assert now.patient == other
        assert [item.case_id for item in list_previous(now)] == [old.pk]
        unmerge(done, administrator, {now: other})
        assert list_previous(Case.objects.get(pk=now.pk)) == []

    def test_old_addresses_lead_on(
        self, patient: Patient, right: Patient, administrator: User, client_for: ClientFor
    ) -> None:
        merge(patient, right, administrator, named=["birth_date", "sex"])
        client = client_for(administrator)
        for name in ("classifier:patient_detail", "reports:patient_reports"):
            response = client.get(reverse(name, args=[patient.pk]))
            assert response["Location"] == reverse(name, args=[right.pk])


class TestWrongPatient:
    def test_a_withdrawn_case_is_registered_reviewed_and_signed_again(
        self,
        ready_case: Case,
        sign: Sign,
        withdraw: Callable[[Report], Report],
        right: Patient,
        patient: Patient,
        technician: User,
        pathologist: User,
        administrator: User,
        client_for: ClientFor,
    ) -> None:
        report = sign(ready_case)
        pdf = read_pdf(report, actor=administrator)
        withdraw(report)
        case = register_again(
            case_id=ready_case.pk, actor=technician, right_id=right.pk, reason=WHY
        )
        assert human_marks(case) == human_marks(ready_case)
        submit_case(case_id=case.pk, actor=technician)
        transition(case_id=case.pk, name="complete_classification", actor=User.system())
        reviews.open_review(case_id=case.pk, actor=pathologist)
        again = sign(case)

        assert again.says.patient.mrn == right.mrn
        assert [r.count for r in again.says.differential] == [
            r.count for r in report.says.differential
        ]
        assert read_pdf(report, actor=administrator) == pdf
        assert [item.case_id for item in list_results(right, user=pathologist)] == [case.pk]
        assert list_results(patient, user=pathologist) == []

    def test_the_wrong_patients_pages_only_say_that_something_was_withdrawn(
        self,
        ready_case: Case,
        sign: Sign,
        withdraw: Callable[[Report], Report],
        right: Patient,
        technician: User,
        client_for: ClientFor,
    ) -> None:
        withdraw(sign(ready_case))
        case = register_again(
            case_id=ready_case.pk, actor=technician, right_id=right.pk, reason=WHY
        )
        desk = client_for(technician)
        page = words_of(desk.get(ready_case.get_absolute_url()))
        assert "Report entered in error" in page
        assert case.accession_number in page
        assert right.family_name not in page
        for word in ("Neutrophil", 'class="tile', "× 10⁹/L"):  # noqa: RUF001
            assert word not in page
        assert previous_findings(ready_case) == {}
        new_page = words_of(desk.get(case.get_absolute_url()))
        assert f"{ready_case.accession_number}" in new_page

    def test_what_stands_keeps_its_patient(
        self, ready_case: Case, sign: Sign, right: Patient, technician: User
    ) -> None:
        sign(ready_case)
        with pytest.raises(TransitionRefused, match="signed off"):
            correct_patient(case_id=ready_case.pk, actor=technician, right_id=right.pk, reason=WHY)
        with pytest.raises(TransitionRefused, match="can't be registered again"):
            register_again(case_id=ready_case.pk, actor=technician, right_id=right.pk, reason=WHY)

    def test_an_interim_result_is_withdrawn_by_rejecting_the_case_first(
        self, ready_case: Case, right: Patient, technician: User, pathologist: User
    ) -> None:
        draft = draft_report(ready_case, issue=Issue.INTERIM)
        sign_off_case(
            case_id=ready_case.pk,
            actor=pathologist,
            intent=Intent(SignatureMeaning.REVIEW, draft.draft_sha256, issue=Issue.INTERIM),
            reauthentication=proof_of(pathologist),
        )
        wanted: Any = {"case_id": ready_case.pk, "actor": technician, "right_id": right.pk}
        with pytest.raises(GuardFailed, match="interim"):
            correct_patient(**wanted, reason=WHY)
        reviews.reject(case_id=ready_case.pk, actor=pathologist, reason=WHY)
        with pytest.raises(GuardFailed, match="just being withdrawn"):
            register_again(**wanted, reason=WHY)
        assert cancel_interims() == 1
        assert register_again(**wanted, reason=WHY).patient == right
