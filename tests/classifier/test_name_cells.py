"""Naming the cells of an open case, and accepting what was read."""

import uuid

import pytest

from accounts.models import AuditEvent, User
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Correction, Prediction
from classifier.selectors.differential import list_marks
from classifier.services import corrections
from tests.reviewing import Correct, MakeCase, accept, cells_of, human_marks, undo


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
    assert event.before["cells"][str(cells[0].pk)] == {"machine": "neutrophil", "human": {}}
    blast = {"class": "blast"}
    assert event.after["cells"] == {str(cells[0].pk): blast, str(cells[2].pk): blast}
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
