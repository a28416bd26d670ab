"""Legal holds: put by one, lifted by another, never lost by moving a case."""

import uuid

import pytest
from django.db import InternalError, transaction

from accounts.models import AuditEvent, User
from classifier import guards
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, LegalHold
from classifier.services.images import remove_image
from classifier.services.legal_holds import HoldRequest, hold_case, hold_patient, lift_hold
from classifier.services.slides import remove_slide
from classifier.services.transitions import lock_case
from classifier.services.wrong_patients import correct_patient
from notifications.models import Notice
from tests.clinical import MakeImage
from tests.merging import STRANGER, at_once, case_of, merge, register, unmerge
from tests.retention.steps import hold


def is_held(case: Case) -> bool:
    return guards.nothing_held(Case.objects.get(pk=case.pk)) is not None


def test_a_hold_on_a_patient_holds_all_cases_also_later_ones(
    administrator: User, case: Case, technician: User
) -> None:
    other = case_of(register(technician), technician)
    hold(administrator, case.patient)
    assert is_held(case)
    assert is_held(case_of(case.patient, technician))
    assert not is_held(other)


def test_a_hold_on_a_case_holds_that_case(
    administrator: User, case: Case, technician: User
) -> None:
    hold(administrator, case)
    assert is_held(case)
    assert not is_held(case_of(case.patient, technician))


def test_the_same_form_twice_is_one_hold(administrator: User, case: Case) -> None:
    wanted = HoldRequest(uuid.uuid4(), "3 O 12", "A claim.")
    one, again = (hold_case(actor=administrator, case_id=case.pk, wanted=wanted) for _ in range(2))
    assert one == again
    with pytest.raises(TransitionRefused, match="another record"):
        hold_patient(actor=administrator, patient_id=case.patient_id, wanted=wanted)
    assert AuditEvent.objects.filter(action="legal_hold.put").count() == 1


@pytest.mark.parametrize(("reference", "reason"), [(" ", "A claim."), ("3 O 12", " ")])
def test_needs_a_reference_and_a_reason(
    administrator: User, case: Case, reference: str, reason: str
) -> None:
    with pytest.raises(GuardFailed, match="Give a"):
        hold_case(
            actor=administrator,
            case_id=case.pk,
            wanted=HoldRequest(uuid.uuid4(), reference, reason),
        )


def test_somebody_else_lifts_it(
    administrator: User, keeper: User, pathologist: User, case: Case
) -> None:
    put = hold(administrator, case)
    with pytest.raises(NotPermitted, match="somebody else"):
        lift_hold(actor=administrator, hold_id=put.pk, reason="Settled.")
    with pytest.raises(NotPermitted):
        lift_hold(actor=pathologist, hold_id=put.pk, reason="Settled.")
    with pytest.raises(GuardFailed, match="reason"):
        lift_hold(actor=keeper, hold_id=put.pk, reason="")
    for _ in range(2):
        lift_hold(actor=keeper, hold_id=put.pk, reason="Settled.")
    assert not is_held(case)
    assert AuditEvent.objects.filter(action="legal_hold.lifted").count() == 1
    assert Notice.objects.filter(kind="legal_hold.changed", recipient=keeper).count() == 1


@pytest.mark.parametrize("who", ["technician", "pathologist"])
def test_others_put_none(who: str, case: Case, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotPermitted):
        hold(request.getfixturevalue(who), case)


def test_what_it_says_is_never_edited_nor_removed(administrator: User, case: Case) -> None:
    rows = LegalHold.objects.filter(pk=hold(administrator, case).pk)
    for change in (lambda: rows.update(reason="Other."), rows.delete):
        with pytest.raises(InternalError), transaction.atomic():
            change()


def test_pictures_of_a_held_case_are_not_removed(
    administrator: User, case: Case, technician: User, add_picture: MakeImage
) -> None:
    image = add_picture(case)
    hold(administrator, case.patient)
    with pytest.raises(GuardFailed, match="legal hold"):
        remove_image(image=image, actor=technician)
    assert image.file.storage.exists(str(image.file.name))


def test_slides_of_a_held_case_are_not_removed(
    administrator: User, slide: "object", technician: User
) -> None:
    hold(administrator, slide.case)  # type: ignore[attr-defined]
    with pytest.raises(GuardFailed, match="legal hold"):
        remove_slide(slide=slide, actor=technician)  # type: ignore[arg-type]


def test_merging_loses_no_hold(administrator: User, case: Case, technician: User) -> None:
    twin = register(technician)
    brought, stays = case_of(twin, technician), case
    hold(administrator, twin)
    done = merge(twin, case.patient, administrator)
    assert is_held(brought)
    assert is_held(stays)
    unmerge(done, administrator)
    assert is_held(brought)
    assert not is_held(stays)
    merge(twin, case.patient, administrator)
    with pytest.raises(TransitionRefused, match="merged"):
        hold(administrator, twin)


def test_a_hold_on_the_survivor_stays_with_cases_that_leave(
    administrator: User, keeper: User, case: Case, technician: User
) -> None:
    twin = register(technician)
    brought = case_of(twin, technician)
    done = merge(twin, case.patient, administrator)
    put = hold(administrator, case.patient)
    unmerge(done, administrator)
    carried = LegalHold.objects.get(case=brought)
    assert (carried.follows, carried.put_by, carried.reference) == (
        put,
        administrator,
        put.reference,
    )
    lift_hold(actor=keeper, hold_id=put.pk, reason="Settled.")
    assert is_held(brought)
    lift_hold(actor=keeper, hold_id=carried.pk, reason="Settled too.")
    assert not is_held(brought)


def test_a_case_that_goes_to_the_right_patient_stays_held(
    administrator: User, case: Case, technician: User
) -> None:
    hold(administrator, case.patient)
    right = register(technician, STRANGER)
    correct_patient(case_id=case.pk, actor=technician, right_id=right.pk, reason="Mixed up.")
    assert is_held(case)
    assert AuditEvent.objects.filter(action="legal_hold.carried").count() == 1
    assert not LegalHold.objects.over_patient(right.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_whoever_removes_something_at_the_same_moment_is_first_or_refused(
    administrator: User, case: Case, technician: User, add_picture: MakeImage
) -> None:
    image = add_picture(case)
    outcomes = at_once(
        lambda: hold(administrator, case.patient),
        lambda: remove_image(image=image, actor=technician),
    )
    refused = any(isinstance(outcome, GuardFailed) for outcome in outcomes)
    assert refused == case.images.exists()
    assert is_held(case)


@pytest.mark.django_db(transaction=True)
def test_a_hold_waits_for_who_has_a_case_locked(administrator: User, case: Case) -> None:
    """The guard is asked under the case's lock alone, so a patient's hold takes that as well."""
    import threading

    from django.db import connection

    done = threading.Event()

    def put() -> None:
        hold(administrator, case.patient)
        done.set()
        connection.close()

    with transaction.atomic():
        locked = lock_case(case.pk)
        thread = threading.Thread(target=put)
        thread.start()
        assert not done.wait(0.4)
        assert guards.nothing_held(locked) is None
    thread.join()
    assert is_held(case)
