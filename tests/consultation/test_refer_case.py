"""Referring a case to one consultant for a while, and taking it back."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, Laboratory
from consultation.enums import ReferralState
from consultation.models import Referral
from consultation.services.referrals import Request, refer_case, withdraw_referral
from tests.consultation.conftest import Answer, Refer
from tests.factories import UserFactory


def test_hides_identity_unless_the_referrer_says_otherwise(open_case: Case, refer: Refer) -> None:
    referral = refer(open_case)
    assert (referral.shows_identity, referral.shows_clinical_details) == (False, False)


def test_lasts_as_long_as_the_laboratory_says(open_case: Case, refer: Refer) -> None:
    Laboratory.current()
    Laboratory.objects.update(referral_days=3)
    referral = refer(open_case)
    assert referral.expires_at - referral.created_at == timedelta(days=3)
    assert Laboratory._meta.get_field("referral_days").default == 14


def test_is_audited_without_naming_the_patient(open_case: Case, refer: Refer) -> None:
    referral = refer(open_case)
    event = AuditEvent.objects.get(action="referral.made")
    assert event.after is not None
    assert event.after["referral"] == str(referral.pk)
    assert event.target_label == open_case.accession_number
    assert open_case.patient.family_name not in str(event.after)


def test_repeating_the_request_changes_nothing(open_case: Case, refer: Refer) -> None:
    key = uuid.uuid4()
    assert refer(open_case, referral_id=key) == refer(open_case, referral_id=key)
    assert AuditEvent.objects.filter(action="referral.made").count() == 1


def test_the_id_of_another_referral_is_refused(
    open_case: Case, refer: Refer, colleague: User, consultant: User
) -> None:
    referral = refer(open_case)
    with pytest.raises(EditConflict):
        refer_case(
            case_id=open_case.pk,
            actor=colleague,
            referral_id=referral.pk,
            wanted=Request(consultant.pk, "Another question?"),
        )


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.ADMINISTRATOR, Role.CONSULTANT])
def test_only_pathologists_refer(open_case: Case, consultant: User, role: Role) -> None:
    with pytest.raises(NotPermitted):
        refer_case(
            case_id=open_case.pk,
            actor=UserFactory.create(role=role),
            referral_id=uuid.uuid4(),
            wanted=Request(consultant.pk, "Why?"),
        )


def test_a_case_that_was_not_classified_is_not_referred(case: Case, refer: Refer) -> None:
    with pytest.raises(NotPermitted):
        refer(case)


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.ADMINISTRATOR, Role.LEARNER])
def test_only_those_who_give_opinions_are_asked(open_case: Case, refer: Refer, role: Role) -> None:
    with pytest.raises(GuardFailed, match="Choose somebody"):
        refer(open_case, UserFactory.create(role=role))


def test_nobody_asks_themselves_or_who_has_left(
    open_case: Case, refer: Refer, pathologist: User
) -> None:
    left = UserFactory.create(role=Role.CONSULTANT, is_active=False, deactivated_at=timezone.now())
    for person in (pathologist, left):
        with pytest.raises(GuardFailed, match="Choose somebody"):
            refer(open_case, person)


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ("  ", "Say what you want to know"),
        ("x" * 2001, "longer than 2000"),
        ("Does Doe have blasts?", "the patient's name"),
        ("Jane's blasts?", "the patient's name"),
        ("See mrn 00123", "the MRN"),
        ("Born 1980-01-01", "the date of birth"),
        ("Born 01.01.1980", "the date of birth"),
    ],
)
def test_refuses_questions_that_are_empty_or_name_the_patient(
    open_case: Case, refer: Refer, question: str, problem: str
) -> None:
    with pytest.raises(GuardFailed, match=problem):
        refer(open_case, question=question)


def test_the_accession_number_counts_as_identity(open_case: Case, refer: Refer) -> None:
    with pytest.raises(GuardFailed, match="accession number"):
        refer(open_case, question=f"As in {open_case.accession_number.replace('-', ' ').lower()}?")


def test_words_that_only_resemble_the_name_pass(open_case: Case, refer: Refer) -> None:
    assert refer(open_case, question="Does it? Janeway lesions. doe")


def test_with_identity_shown_the_question_may_name_the_patient(
    open_case: Case, refer: Refer
) -> None:
    assert refer(open_case, question="What does Jane Doe have?", shows_identity=True)


def test_clinical_details_that_name_the_patient_are_not_shown_without_identity(
    open_case: Case, refer: Refer
) -> None:
    Case.objects.filter(pk=open_case.pk).update(clinical_details="Mrs Doe is pale.")
    with pytest.raises(GuardFailed, match="clinical details hold"):
        refer(open_case, shows_clinical_details=True)


def test_a_consultant_has_a_case_once_until_it_expires(open_case: Case, refer: Refer) -> None:
    first = refer(open_case)
    with pytest.raises(GuardFailed, match="has this case already"):
        refer(open_case)
    with time_machine.travel(first.expires_at + timedelta(seconds=1), tick=False):
        second = refer(open_case)
    first.refresh_from_db()
    assert (first.is_latest, second.is_latest) == (False, True)


def test_the_database_holds_one_open_referral_too(
    open_case: Case, refer: Refer, pathologist: User, consultant: User
) -> None:
    first = refer(open_case)
    with pytest.raises(IntegrityError, match="one_open"), transaction.atomic():
        Referral.objects.create(
            case=open_case,
            referred_by=pathologist,
            consultant=consultant,
            is_outside=True,
            question="Again?",
            expires_at=first.expires_at,
        )


def test_several_people_can_be_asked(open_case: Case, refer: Refer, colleague: User) -> None:
    refer(open_case)
    refer(open_case, colleague)
    assert open_case.referrals.count() == 2


def test_states_follow_from_what_happened(
    open_case: Case, refer: Refer, answer: Answer, pathologist: User, colleague: User
) -> None:
    referral = refer(open_case)
    states = [referral.state]
    referral.first_opened_at = timezone.now()
    states.append(referral.state)
    with time_machine.travel(referral.expires_at, tick=False):
        states.append(referral.state)
        assert referral.ended_at == referral.expires_at
    assert states == [ReferralState.SENT, ReferralState.OPENED, ReferralState.EXPIRED]
    answer(referral)
    assert Referral.objects.get(pk=referral.pk).state == ReferralState.ANSWERED
    other = refer(open_case, colleague)
    withdrawn = withdraw_referral(referral=other, actor=pathologist, reason="Not needed.")
    assert withdrawn.state == ReferralState.WITHDRAWN


@pytest.fixture
def withdraw(pathologist: User) -> Callable[..., Referral]:
    def take_back(referral: Referral, actor: User | None = None, **words: Any) -> Referral:
        return withdraw_referral(
            referral=referral,
            actor=actor or pathologist,
            reason=words.get("reason", "Asked the wrong person."),
        )

    return take_back


def test_the_referrer_withdraws_with_a_reason(
    open_case: Case, refer: Refer, withdraw: Callable[..., Referral], consultant: User
) -> None:
    referral = refer(open_case)
    with pytest.raises(GuardFailed, match="reason"):
        withdraw(referral, reason=" ")
    withdraw(referral)
    withdraw(referral)
    assert not Referral.objects.visible_to(consultant).exists()
    event = AuditEvent.objects.get(action="referral.withdrawn")
    assert event.reason == "Asked the wrong person."


def test_whoever_runs_the_laboratory_withdraws_too_but_no_bystander(
    open_case: Case,
    refer: Refer,
    withdraw: Callable[..., Referral],
    colleague: User,
    administrator: User,
    consultant: User,
) -> None:
    referral = refer(open_case)
    for bystander in (colleague, consultant):
        with pytest.raises(NotPermitted):
            withdraw(referral, bystander)
    assert withdraw(referral, administrator).withdrawn_by == administrator


def test_referrals_are_never_deleted(open_case: Case, refer: Refer) -> None:
    referral = refer(open_case)
    with pytest.raises(Exception, match="delete rows"), transaction.atomic():
        referral.delete()
