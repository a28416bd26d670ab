"""The life of a case: every status, transition and person against the table."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier import lifecycle
from classifier.enums import CaseStatus as S
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case
from classifier.services.transitions import transition
from tests.factories import UserFactory
from tests.reviewing import MakeCase

# Who acts. The holder has the case open; the colleague is a pathologist who has not.
PEOPLE = (
    "technician",
    "holder",
    "colleague",
    "submitter",
    "administrator",
    "consultant",
    "learner",
    "system",
)
TECHNICIANS = {"technician"}
SYSTEM = {"system"}
HOLDER = {"holder"}

# Written out again, independently of the code: transition -> from, to, by whom, with a reason.
EXPECTED: dict[str, tuple[set[S], S, set[str], bool]] = {
    "submit": ({S.REGISTERED}, S.IN_CLASSIFICATION, TECHNICIANS, False),
    "complete_classification": ({S.IN_CLASSIFICATION}, S.AWAITING_REVIEW, SYSTEM, False),
    "fail_classification": ({S.IN_CLASSIFICATION}, S.CLASSIFICATION_FAILED, SYSTEM, False),
    "retry": ({S.CLASSIFICATION_FAILED}, S.IN_CLASSIFICATION, TECHNICIANS, False),
    "review_manually": (
        {S.CLASSIFICATION_FAILED, S.IN_CLASSIFICATION},
        S.AWAITING_REVIEW,
        TECHNICIANS,
        True,
    ),
    "take_back": ({S.AWAITING_REVIEW}, S.REGISTERED, TECHNICIANS, False),
    "open_review": ({S.AWAITING_REVIEW}, S.IN_REVIEW, {"holder", "colleague"}, False),
    "release": ({S.IN_REVIEW}, S.AWAITING_REVIEW, {"holder", "administrator"}, False),
    "restart_review": ({S.IN_REVIEW}, S.AWAITING_REVIEW, TECHNICIANS, True),
    "return_to_technician": ({S.IN_REVIEW}, S.REGISTERED, HOLDER, True),
    "issue_interim": ({S.IN_REVIEW}, S.IN_REVIEW, HOLDER, False),
    "issue_interim_unopened": (
        {S.AWAITING_REVIEW},
        S.AWAITING_REVIEW,
        {"holder", "colleague"},
        False,
    ),
    "sign_off": ({S.IN_REVIEW, S.AMENDING}, S.SIGNED_OFF, HOLDER, False),
    "amend": ({S.SIGNED_OFF}, S.AMENDING, {"holder", "colleague"}, True),
    "withdraw_amendment": ({S.AMENDING}, S.SIGNED_OFF, HOLDER, False),
    "withdraw_report": ({S.SIGNED_OFF}, S.ENTERED_IN_ERROR, {"administrator"}, True),
    "cancel": ({S.REGISTERED}, S.CANCELLED, TECHNICIANS | SYSTEM, True),
}
# The one transition whose right person changes on the way.
BEFORE_REVIEW = {
    S.REGISTERED,
    S.IN_CLASSIFICATION,
    S.CLASSIFICATION_FAILED,
    S.AWAITING_REVIEW,
}


def may(person: str, name: str, status: S) -> bool:
    """Say whether the table lets this person take this step from here, guards aside."""
    if name == "reject":
        return person in (TECHNICIANS if status in BEFORE_REVIEW else HOLDER)
    return person in EXPECTED[name][2]


def starts_from(name: str, status: S) -> bool:
    if name == "reject":
        return status in {*BEFORE_REVIEW, S.IN_REVIEW}
    return status in EXPECTED[name][0]


@pytest.fixture
def people(
    technician: User,
    pathologist: User,
    administrator: User,
    consultant: User,
    learner: User,
) -> dict[str, User]:
    def pathologist_called(name: str) -> User:
        return UserFactory.create(role=Role.PATHOLOGIST, full_name=name)

    return {
        "technician": technician,
        "holder": pathologist,
        "colleague": pathologist_called("Colleague"),
        "submitter": pathologist_called("Submitter"),
        "administrator": administrator,
        "consultant": consultant,
        "learner": learner,
        "system": User.system(),
    }


@pytest.fixture
def case_in(classified_case: MakeCase, people: dict[str, User]) -> Callable[[S], Case]:
    """Return a maker of a case in any status, submitted by one pathologist, open with another."""

    def make(status: S) -> Case:
        case = classified_case(["neutrophil"])
        is_signed = status in (S.SIGNED_OFF, S.AMENDING, S.ENTERED_IN_ERROR)
        Case.objects.filter(pk=case.pk).update(
            status=status,
            submitted_by=people["submitter"],
            signed_by=people["holder"] if is_signed else None,
            signed_at=timezone.now() if is_signed else None,
        )
        if status in (S.IN_REVIEW, S.AMENDING):
            case.reviews.create(reviewer=people["holder"])
        case.refresh_from_db()
        return case

    return make


def test_the_table_holds_these_transitions_and_no_others() -> None:
    assert set(lifecycle.TRANSITIONS) == {*EXPECTED, "reject"}
    for name, (sources, target, _, needs_reason) in EXPECTED.items():
        move = lifecycle.TRANSITIONS[name]
        assert (set(move.sources), move.target, move.needs_reason) == (
            sources,
            target,
            needs_reason,
        )
    reject = lifecycle.TRANSITIONS["reject"]
    assert set(reject.sources) == {*BEFORE_REVIEW, S.IN_REVIEW}
    assert (reject.target, reject.needs_reason) == (S.REJECTED, True)


def test_nothing_leaves_a_rejected_cancelled_or_withdrawn_case() -> None:
    sources = {status for move in lifecycle.TRANSITIONS.values() for status in move.sources}
    assert set(S) - sources == {S.REJECTED, S.CANCELLED, S.ENTERED_IN_ERROR}


@pytest.mark.parametrize("status", S)
def test_each_person_may_do_what_the_table_says_and_nothing_else(
    status: S, case_in: Callable[[S], Case], people: dict[str, User]
) -> None:
    case = case_in(status)
    for name in lifecycle.TRANSITIONS:
        for person in PEOPLE:
            _check(case, name, person, people[person])
    case.refresh_from_db()
    assert case.status == status


def _check(case: Case, name: str, person: str, actor: User) -> None:
    """Ask the table itself, changing nothing; a failed guard counts as let in."""
    status, move = S(case.status), lifecycle.TRANSITIONS[name]
    offered = name in lifecycle.available(case, actor)
    assert offered == (starts_from(name, status) and may(person, name, status)), (name, person)
    try:
        lifecycle.check(move, case=case, actor=actor, reason="because")
    except TransitionRefused:
        assert not starts_from(name, status), (name, person)
    except NotPermitted:
        assert not may(person, name, status), (name, person)
    except GuardFailed:
        assert offered, (name, person)
    else:
        assert offered, (name, person)


@pytest.mark.parametrize("name", [name for name, row in EXPECTED.items() if row[3]] + ["reject"])
def test_a_step_that_needs_a_reason_is_refused_without_one(
    name: str, case_in: Callable[[S], Case], people: dict[str, User]
) -> None:
    status = lifecycle.TRANSITIONS[name].sources[0]
    case = case_in(status)
    person = next(who for who in PEOPLE if may(who, name, status))
    before = AuditEvent.objects.count()
    with pytest.raises(GuardFailed, match="Give a reason"):
        transition(case_id=case.pk, name=name, actor=people[person], reason="  ")
    case.refresh_from_db()
    assert case.status == status
    assert AuditEvent.objects.count() == before


def test_a_step_is_recorded_with_who_from_where_to_where_and_why(
    case_in: Callable[[S], Case], technician: User
) -> None:
    case = case_in(S.REGISTERED)
    moved = transition(case_id=case.pk, name="cancel", actor=technician, reason="Wrong patient")
    event = AuditEvent.objects.get(action="case.cancel")
    assert (event.actor, event.reason) == (technician, "Wrong patient")
    assert (event.before, event.after) == ({"status": "registered"}, {"status": "cancelled"})
    assert (moved.status_reason, moved.version) == ("Wrong patient", case.version + 1)


def test_submitting_and_signing_keep_who_and_when(
    case_in: Callable[[S], Case], technician: User, pathologist: User
) -> None:
    case = case_in(S.REGISTERED)
    submitted = transition(case_id=case.pk, name="submit", actor=technician)
    assert submitted.submitted_by == technician
    assert submitted.submitted_at is not None
    Case.objects.filter(pk=case.pk).update(status=S.IN_REVIEW)
    case.reviews.create(reviewer=pathologist)
    signed = transition(case_id=case.pk, name="sign_off", actor=pathologist)
    assert (signed.signed_by, signed.is_signed) == (pathologist, True)


def test_the_submitter_never_signs_even_while_holding_the_case(
    case_in: Callable[[S], Case], people: dict[str, User]
) -> None:
    case = case_in(S.IN_REVIEW)
    case.reviews.update(reviewer=people["submitter"])
    with pytest.raises(NotPermitted):
        transition(case_id=case.pk, name="sign_off", actor=people["submitter"])


def test_a_deactivated_person_can_do_nothing(
    case_in: Callable[[S], Case], technician: User
) -> None:
    case = case_in(S.REGISTERED)
    User.objects.filter(pk=technician.pk).update(is_active=False, deactivated_at=timezone.now())
    with pytest.raises(NotPermitted):
        transition(case_id=case.pk, name="submit", actor=User.objects.get(pk=technician.pk))
