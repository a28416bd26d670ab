"""Who hears of what, and how."""

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.apps import ACTIONS as ACCOUNT_ACTIONS
from accounts.audit import ACTIONS
from accounts.enums import Role
from accounts.models import AuditEvent, User
from accounts.roles import DUTIES
from classifier.enums import Priority
from classifier.models import Case
from classifier.services.transitions import transition
from notifications.enums import MailState
from notifications.kinds import KINDS, NoticeKind, register_kinds
from notifications.models import Notice
from notifications.services.telling import tell
from tests.factories import UserFactory
from tests.reviewing import MakeCase


@pytest.fixture
def returned(classified_case: MakeCase, pathologist: User) -> Case:
    """A case that the pathologist sent back to the technician."""
    case = classified_case(["neutrophil"], in_review=True)
    return transition(
        case_id=case.pk, name="return_to_technician", actor=pathologist, reason="Out of focus."
    )


def told() -> list[tuple[str, str]]:
    """Who was told what."""
    return sorted(Notice.objects.values_list("recipient__full_name", "kind"))


def test_who_submitted_a_case_hears_that_it_came_back(returned: Case, technician: User) -> None:
    assert told() == [("Tess Technician", "case.returned")]
    notice = Notice.objects.get()
    assert notice.event.action == "case.return_to_technician"
    assert notice.created_at == notice.event.at


def test_who_did_it_is_not_told(classified_case: MakeCase, technician: User) -> None:
    case = classified_case(["neutrophil"])
    transition(case_id=case.pk, name="reject", actor=technician, reason="Clotted.")
    assert told() == []


def test_a_refused_change_tells_nobody(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with transaction.atomic():
        transition(case_id=case.pk, name="return_to_technician", actor=pathologist, reason="Blur")
        transaction.set_rollback(True)
    assert told() == []


def test_somebody_who_left_is_not_told(
    classified_case: MakeCase, technician: User, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    User.objects.filter(pk=technician.pk).update(is_active=False)
    transition(case_id=case.pk, name="return_to_technician", actor=pathologist, reason="Blurred.")
    assert told() == []


def test_reviewers_hear_of_stat_cases_unless_they_choose_more(
    classified_case: MakeCase, pathologist: User, technician: User
) -> None:
    UserFactory.create(role=Role.PATHOLOGIST, full_name="Second Pathologist")
    case = classified_case(["neutrophil"], in_review=True)
    Case.objects.filter(pk=case.pk).update(priority=Priority.STAT, status="classification_failed")
    transition(case_id=case.pk, name="review_manually", actor=technician, reason="Urgent.")
    assert told() == [
        ("Paul Pathologist", "case.stat_waiting"),
        ("Second Pathologist", "case.stat_waiting"),
    ]


def test_a_routine_case_is_told_to_nobody_who_has_not_asked(
    classified_case: MakeCase, technician: User, pathologist: User
) -> None:
    case = classified_case(["neutrophil"])
    Case.objects.filter(pk=case.pk).update(status="classification_failed")
    transition(case_id=case.pk, name="review_manually", actor=technician, reason="By eye.")
    assert told() == []


@pytest.mark.parametrize(("works", "state"), [(True, MailState.WAITING), (False, MailState.NONE)])
def test_a_mail_waits_only_where_mail_works(
    settings: Settings,
    classified_case: MakeCase,
    pathologist: User,
    works: bool,
    state: MailState,
) -> None:
    settings.MAIL_IS_CONFIGURED = works
    case = classified_case(["neutrophil"], in_review=True)
    transition(case_id=case.pk, name="return_to_technician", actor=pathologist, reason="Blurred.")
    assert Notice.objects.get().mail_state == state


def test_an_event_is_told_once(returned: Case) -> None:
    tell(Notice.objects.get().event)
    assert Notice.objects.count() == 1
    notice = Notice.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.create(recipient=notice.recipient, kind=notice.kind, event=notice.event)


def test_most_events_cost_nothing(
    technician: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    event = AuditEvent(action="patient.viewed", actor=technician)
    with django_assert_num_queries(0):
        tell(event)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_follows_known_actions_and_a_known_duty(kind: NoticeKind) -> None:
    assert set(kind.actions) <= set(ACTIONS)
    assert kind.duty in DUTIES
    assert not set(kind.actions) & set(ACCOUNT_ACTIONS)
    assert "{" not in kind.title


def test_one_name_cannot_mean_two_kinds() -> None:
    with pytest.raises(ValueError, match="already registered"):
        register_kinds(KINDS["case.returned"])
