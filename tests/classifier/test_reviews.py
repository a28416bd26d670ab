"""A pathologist's steps on a case: claim, name, undo, comment, give back, amend."""

import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import close_old_connections, connection, transaction

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.exceptions import (
    DomainError,
    EditConflict,
    GuardFailed,
    NotPermitted,
    TransitionRefused,
)
from classifier.models import Case, Correction, Prediction, Review
from classifier.selectors.differential import list_marks
from classifier.selectors.gallery import list_cells
from classifier.services import corrections, reviews
from classifier.services.transitions import transition
from tests.factories import UserFactory
from tests.reviewing import MakeCase, cells_of

Correct = Callable[..., corrections.Action]


def human_marks(case: Case) -> list[str]:
    """Return the human mark of each cell, in the order of the pictures."""
    marks = {cell.id: cell.mark.human_type for cell in list_cells(case)}
    return [marks[cell.pk] for cell in cells_of(case)]


def undo(case: Case, actor: User) -> corrections.Action:
    return corrections.undo_last(case_id=case.pk, actor=actor, action_id=uuid.uuid4())


def accept(case: Case, places: list[int], actor: User) -> corrections.Action:
    cells = cells_of(case)
    return corrections.accept_cells(
        case_id=case.pk,
        actor=actor,
        cell_ids=[cells[place].pk for place in places],
        action_id=uuid.uuid4(),
    )


@pytest.fixture
def colleague(db: None) -> User:
    return UserFactory.create(role=Role.PATHOLOGIST, full_name="Carla Colleague", title="MD")


@pytest.fixture
def signed_case(classified_case: MakeCase, pathologist: User) -> Case:
    case = classified_case(["neutrophil", "lymphocyte"], in_review=True)
    with transaction.atomic():
        transition(case_id=case.pk, name="sign_off", actor=pathologist)
        review = reviews.close_review(case=case, outcome=ReviewOutcome.SIGNED)
    review.comment = "Normal film."
    review.save(update_fields=["comment"])
    case.refresh_from_db()
    return case


# Claiming ------------------------------------------------------------------------------------


def test_opening_claims_the_case(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"])
    review = reviews.open_review(case_id=case.pk, actor=pathologist)
    case.refresh_from_db()
    assert case.status == CaseStatus.IN_REVIEW
    assert review.reviewer == pathologist
    assert AuditEvent.objects.get(action="case.open_review").actor == pathologist


def test_opening_again_is_harmless(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"])
    first = reviews.open_review(case_id=case.pk, actor=pathologist)
    assert reviews.open_review(case_id=case.pk, actor=pathologist) == first
    assert Review.objects.count() == 1


def test_a_second_reviewer_hears_who_has_the_case(
    classified_case: MakeCase, colleague: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with pytest.raises(TransitionRefused, match="Paul Pathologist, MD has this case open since"):
        reviews.open_review(case_id=case.pk, actor=colleague)


def test_the_submitter_cannot_review(classified_case: MakeCase, colleague: User) -> None:
    case = classified_case(["neutrophil"])
    Case.objects.filter(pk=case.pk).update(submitted_by=colleague)
    with pytest.raises(NotPermitted):
        reviews.open_review(case_id=case.pk, actor=colleague)


def test_a_technician_cannot_review(classified_case: MakeCase, technician: User) -> None:
    case = classified_case(["neutrophil"])
    with pytest.raises(NotPermitted):
        reviews.open_review(case_id=case.pk, actor=technician)
    assert not Review.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_open_at_once_one_wins(
    classified_case: MakeCase, pathologist: User, colleague: User
) -> None:
    case = classified_case(["neutrophil"])
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def claim(actor: User) -> None:
        close_old_connections()
        barrier.wait()
        try:
            reviews.open_review(case_id=case.pk, actor=actor)
            outcomes.append("won")
        except TransitionRefused as refusal:
            outcomes.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=[one]) for one in (pathologist, colleague)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = Review.objects.get().reviewer
    assert "won" in outcomes
    assert any(outcome.startswith(winner.name_with_title) for outcome in outcomes)


def test_the_comment_goes_on_where_the_last_review_left_it(
    classified_case: MakeCase, pathologist: User, colleague: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    _comment(case, pathologist, "Left shift.")
    reviews.release(case_id=case.pk, actor=pathologist)
    assert reviews.open_review(case_id=case.pk, actor=colleague).comment == "Left shift."


# Naming --------------------------------------------------------------------------------------


def test_names_several_cells_in_one_step(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "lymphocyte", "unidentified"], in_review=True)
    action = correct(case, [0, 2], "blast")
    assert human_marks(case) == ["blast", "", "blast"]
    rows = Correction.objects.all()
    assert {row.action_id for row in rows} == {action.action_id}
    assert {row.created_by for row in rows} == {pathologist}
    event = AuditEvent.objects.get(action="cell.corrected")
    assert event.before is not None
    assert event.after is not None
    cells = cells_of(case)
    assert event.before["cells"][str(cells[0].pk)] == {"machine": "neutrophil", "human": ""}
    assert event.after["cells"] == {str(cells[0].pk): "blast", str(cells[2].pk): "blast"}
    assert event.patient_id == case.patient_id


def test_predictions_stay_as_they_were(classified_case: MakeCase, correct: Correct) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    correct(case, [0], "lymphocyte")
    assert Prediction.objects.get().cell_type == "neutrophil"
    mark = list_marks(case)[0]
    assert (mark.machine_type, mark.human_type, mark.finding) == (
        "neutrophil",
        "lymphocyte",
        "lymphocyte",
    )


def test_a_repeated_request_changes_nothing_more(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "lymphocyte"], in_review=True)
    cells = cells_of(case)
    request = {
        "case_id": case.pk,
        "actor": pathologist,
        "cell_ids": [cell.pk for cell in cells],
        "cell_type": "monocyte",
        "action_id": uuid.uuid4(),
    }
    first = corrections.correct_cells(**request)  # type: ignore[arg-type]
    undo(case, pathologist)
    again = corrections.correct_cells(**request)  # type: ignore[arg-type]
    assert set(first.cell_ids) == set(again.cell_ids)
    assert human_marks(case) == ["", ""]
    assert AuditEvent.objects.filter(action="cell.corrected").count() == 1


def test_an_action_id_cannot_be_used_for_other_cells(
    classified_case: MakeCase, pathologist: User, correct: Correct
) -> None:
    case = classified_case(["neutrophil", "lymphocyte"], in_review=True)
    first = correct(case, [0], "monocyte")
    with pytest.raises(EditConflict):
        corrections.correct_cells(
            case_id=case.pk,
            actor=pathologist,
            cell_ids=[cells_of(case)[1].pk],
            cell_type="monocyte",
            action_id=first.action_id,
        )


def test_naming_what_is_so_named_records_nothing(
    classified_case: MakeCase, correct: Correct
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    correct(case, [0], "monocyte")
    assert correct(case, [0], "monocyte").cell_ids == ()
    assert Correction.objects.count() == 1


def test_a_human_may_say_unidentified(classified_case: MakeCase, correct: Correct) -> None:
    case = classified_case(["unidentified"], in_review=True)
    correct(case, [0], "unidentified")
    mark = list_marks(case)[0]
    assert mark.finding == "unidentified"
    assert not mark.is_unresolved


@pytest.mark.parametrize("cell_type", ["", "macrophage"])
def test_refuses_a_class_that_does_not_exist(
    classified_case: MakeCase, correct: Correct, cell_type: str
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with pytest.raises(GuardFailed, match="no such cell class"):
        correct(case, [0], cell_type)


def test_refuses_a_cell_of_another_case(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    for cell_ids in ([uuid.uuid4()], []):
        with pytest.raises(GuardFailed, match="cells of this case"):
            corrections.correct_cells(
                case_id=case.pk,
                actor=pathologist,
                cell_ids=cell_ids,
                cell_type="monocyte",
                action_id=uuid.uuid4(),
            )


def test_refuses_anybody_but_the_one_who_has_the_case(
    classified_case: MakeCase, colleague: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with pytest.raises(NotPermitted, match="Paul Pathologist, MD has this case open, not you"):
        accept(case, [0], colleague)
    assert not Correction.objects.exists()


def test_refuses_while_nobody_has_the_case_open(
    classified_case: MakeCase, correct: Correct
) -> None:
    case = classified_case(["neutrophil"])
    with pytest.raises(TransitionRefused, match="not open for review"):
        correct(case, [0], "monocyte")


def test_accepting_confirms_the_likeliest_class(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)
    accept(case, [0, 1], pathologist)
    assert human_marks(case) == ["neutrophil", "monocyte"]


def test_there_is_nothing_to_accept_on_an_unread_cell(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case(["neutrophil", ""], in_review=True)
    with pytest.raises(GuardFailed, match="1 cell has no reading"):
        accept(case, [0, 1], pathologist)
    assert human_marks(case) == ["", ""]


# Undoing -------------------------------------------------------------------------------------


def test_undo_restores_each_cells_own_state(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "lymphocyte", "monocyte"], in_review=True)
    correct(case, [0], "basophil")
    correct(case, [0, 1], "blast")
    assert len(undo(case, pathologist).cell_ids) == 2
    assert human_marks(case) == ["basophil", "", ""]
    undo(case, pathologist)
    assert human_marks(case) == ["", "", ""]
    with pytest.raises(GuardFailed, match="nothing to undo"):
        undo(case, pathologist)


def test_undo_goes_on_after_a_new_step(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    correct(case, [0], "basophil")
    undo(case, pathologist)
    correct(case, [0], "blast")
    undo(case, pathologist)
    assert human_marks(case) == [""]
    with pytest.raises(GuardFailed):
        undo(case, pathologist)


def test_undo_adds_rows_and_removes_none(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    action = correct(case, [0], "basophil")
    undo(case, pathologist)
    last = Correction.objects.order_by("-pk")[0]
    assert Correction.objects.count() == 2
    assert (last.is_withdrawn, last.undoes) == (True, action.action_id)
    assert AuditEvent.objects.filter(action="review.undone").count() == 1


def test_a_repeated_undo_takes_back_one_step_only(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "lymphocyte"], in_review=True)
    correct(case, [0], "basophil")
    correct(case, [1], "basophil")
    action_id = uuid.uuid4()
    for _ in range(2):
        corrections.undo_last(case_id=case.pk, actor=pathologist, action_id=action_id)
    assert human_marks(case) == ["basophil", ""]


def test_undo_does_not_reach_into_an_earlier_review(
    classified_case: MakeCase, correct: Correct, pathologist: User, colleague: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    correct(case, [0], "basophil")
    reviews.release(case_id=case.pk, actor=pathologist)
    reviews.open_review(case_id=case.pk, actor=colleague)
    with pytest.raises(GuardFailed):
        undo(case, colleague)
    accept(case, [0], colleague)
    undo(case, colleague)
    assert human_marks(case) == ["basophil"]


# Commenting ----------------------------------------------------------------------------------


def _comment(case: Case, actor: User, text: str, over: str = "") -> Review:
    return reviews.set_comment(
        case_id=case.pk, actor=actor, text=text, revision=reviews.revision_of(over)
    )


def test_saves_the_comment_with_its_history(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    _comment(case, pathologist, "Normal film.\r\nNo blasts. ")
    assert Review.objects.get().comment == "Normal film.\nNo blasts."
    event = AuditEvent.objects.get(action="review.comment_changed")
    assert event.after == {"comment": "Normal film.\nNo blasts."}


def test_a_comment_is_never_overwritten_unseen(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    _comment(case, pathologist, "From the first window.")
    with pytest.raises(EditConflict, match="changed elsewhere"):
        _comment(case, pathologist, "From the second window.")
    assert Review.objects.get().comment == "From the first window."
    _comment(case, pathologist, "Both.", over="From the first window.")


def test_saving_the_same_comment_again_is_harmless(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    for _ in range(2):
        _comment(case, pathologist, "Normal film.")
    assert AuditEvent.objects.filter(action="review.comment_changed").count() == 1


def test_refuses_an_endless_comment(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with pytest.raises(GuardFailed, match="longer than"):
        _comment(case, pathologist, "x" * (reviews.COMMENT_LIMIT + 1))


# Giving back ---------------------------------------------------------------------------------


def test_release_gives_the_case_back_with_what_was_named(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    correct(case, [0], "blast")
    reviews.release(case_id=case.pk, actor=pathologist)
    case.refresh_from_db()
    assert case.status == CaseStatus.AWAITING_REVIEW
    assert Review.objects.get().outcome == ReviewOutcome.RELEASED
    assert human_marks(case) == ["blast"]


def test_an_administrator_can_release_what_somebody_left_open(
    classified_case: MakeCase, administrator: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    reviews.release(case_id=case.pk, actor=administrator)
    assert Review.objects.get().completed_at is not None


def test_return_needs_a_reason(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with pytest.raises(GuardFailed, match="reason"):
        reviews.return_to_technician(case_id=case.pk, actor=pathologist, reason=" ")
    assert Review.objects.get().completed_at is None


def test_a_returned_case_keeps_its_predictions_and_marks(
    classified_case: MakeCase, correct: Correct, pathologist: User
) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)
    correct(case, [1], "blast")
    reviews.return_to_technician(case_id=case.pk, actor=pathologist, reason="Too few cells.")
    case.refresh_from_db()
    assert (case.status, case.status_reason) == (CaseStatus.REGISTERED, "Too few cells.")
    assert Review.objects.get().outcome == ReviewOutcome.RETURNED
    assert [mark.finding for mark in list_marks(case)].count("blast") == 1
    assert Prediction.objects.count() == 2


def test_reject_ends_review_and_case(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    reviews.reject(case_id=case.pk, actor=pathologist, reason="Clotted.")
    case.refresh_from_db()
    assert case.status == CaseStatus.REJECTED
    assert Review.objects.get().outcome == ReviewOutcome.REJECTED


def test_a_technician_rejects_before_review_opens(
    classified_case: MakeCase, technician: User
) -> None:
    case = classified_case(["neutrophil"])
    reviews.reject(case_id=case.pk, actor=technician, reason="Wrong tube.")
    case.refresh_from_db()
    assert case.status == CaseStatus.REJECTED


@pytest.mark.parametrize("step", [reviews.release, reviews.withdraw_amendment])
def test_a_refused_step_changes_nothing(
    classified_case: MakeCase, pathologist: User, step: Callable[..., Case]
) -> None:
    case = classified_case(["neutrophil"])
    before = AuditEvent.objects.count()
    with pytest.raises(DomainError):
        step(case_id=case.pk, actor=pathologist)
    assert AuditEvent.objects.count() == before


# Amending ------------------------------------------------------------------------------------


def test_an_amendment_starts_from_what_was_signed(signed_case: Case, colleague: User) -> None:
    review = reviews.amend(case_id=signed_case.pk, actor=colleague, reason="Blasts overlooked.")
    signed_case.refresh_from_db()
    assert signed_case.status == CaseStatus.AMENDING
    assert (review.reviewer, review.comment) == (colleague, "Normal film.")


def test_amending_needs_a_reason(signed_case: Case, pathologist: User) -> None:
    with pytest.raises(GuardFailed, match="reason"):
        reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="")


def test_an_amendment_without_changes_can_be_withdrawn(
    signed_case: Case, pathologist: User, correct: Correct
) -> None:
    reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="Look again.")
    correct(signed_case, [0], "blast")
    with pytest.raises(GuardFailed, match="undo the changes first"):
        reviews.withdraw_amendment(case_id=signed_case.pk, actor=pathologist)
    undo(signed_case, pathologist)
    reviews.withdraw_amendment(case_id=signed_case.pk, actor=pathologist)
    signed_case.refresh_from_db()
    assert signed_case.status == CaseStatus.SIGNED_OFF
    assert not Review.objects.filter(completed_at=None).exists()


def test_a_second_pathologist_cannot_amend_at_the_same_time(
    signed_case: Case, pathologist: User, colleague: User
) -> None:
    reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="Look again.")
    with pytest.raises(TransitionRefused):
        reviews.amend(case_id=signed_case.pk, actor=colleague, reason="Me too.")
