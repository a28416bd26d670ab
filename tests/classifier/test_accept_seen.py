"""Accepting the machine's readings: what was looked at, class by class, and nothing else."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, Correction
from classifier.selectors.cells import list_cells
from classifier.services import acceptance, corrections
from tests.reviewing import MakeCase, cells_of, human_marks


def looks_at(case: Case, places: list[int]) -> dict[uuid.UUID, int]:
    """What a reviewer sees of the cells in these places, as it stands now."""
    revisions = {cell.id: cell.revision for cell in list_cells(case)}
    return {cell.pk: revisions[cell.pk] for cell in (cells_of(case)[place] for place in places)}


def accept_class(case: Case, actor: User, cell_type: str, looks: Any) -> acceptance.Acceptance:
    return acceptance.accept_class(
        case_id=case.pk, actor=actor, cell_type=cell_type, looks=looks, action_id=uuid.uuid4()
    )


def accept_seen(case: Case, actor: User, looks: Any) -> acceptance.Acceptance:
    return acceptance.accept_seen(case_id=case.pk, actor=actor, looks=looks, action_id=uuid.uuid4())


@pytest.fixture
def neutrophils(classified_case: MakeCase) -> Case:
    """Three neutrophils, one lymphocyte and one cell that the machine referred."""
    answers = ["neutrophil", "neutrophil", "neutrophil", "lymphocyte", "unidentified"]
    return classified_case(answers, in_review=True)


def test_only_what_was_looked_at_is_confirmed(neutrophils: Case, pathologist: User) -> None:
    accept_class(neutrophils, pathologist, "neutrophil", looks_at(neutrophils, [0, 1]))
    assert human_marks(neutrophils) == ["neutrophil", "neutrophil", "", "", ""]
    assert [cell.tag for cell in list_cells(neutrophils)].count("confirmed") == 2


def test_the_audit_trail_tells_how_many_were_accepted_and_how_many_not_looked_at(
    neutrophils: Case, pathologist: User
) -> None:
    accept_class(neutrophils, pathologist, "neutrophil", looks_at(neutrophils, [0, 1]))
    after = AuditEvent.objects.get(action="cell.accepted_by_class").after
    assert after is not None
    assert (after["class"], after["accepted"], after["not_looked_at"]) == ("neutrophil", 2, 1)
    assert len(after["cells"]) == 2


def test_a_cell_that_changed_since_it_was_seen_is_left_out(
    neutrophils: Case, pathologist: User
) -> None:
    looks = looks_at(neutrophils, [0, 1])
    changed = cells_of(neutrophils)[1].pk
    step: dict[str, Any] = {"case_id": neutrophils.pk, "actor": pathologist}
    corrections.correct_cells(**step, cell_ids=[changed], cell_type="blast", action_id=uuid.uuid4())
    corrections.undo_last(**step, action_id=uuid.uuid4())
    accepted = accept_class(neutrophils, pathologist, "neutrophil", looks)
    assert accepted.left_out == (changed,)
    assert human_marks(neutrophils) == ["neutrophil", "", "", "", ""]


def test_referred_cells_are_never_accepted_with_their_class(
    neutrophils: Case, pathologist: User
) -> None:
    for cell_type in ("monocyte", "unidentified"):
        with pytest.raises(GuardFailed, match="one by one"):
            accept_class(neutrophils, pathologist, cell_type, looks_at(neutrophils, [4]))
    assert not Correction.objects.exists()


def test_cells_of_another_class_are_refused(neutrophils: Case, pathologist: User) -> None:
    with pytest.raises(GuardFailed, match="of this class"):
        accept_class(neutrophils, pathologist, "neutrophil", looks_at(neutrophils, [0, 3]))
    with pytest.raises(GuardFailed, match="cells of this case"):
        accept_class(neutrophils, pathologist, "neutrophil", {uuid.uuid4(): 0})


def test_a_deliberate_selection_may_hold_referred_cells(
    neutrophils: Case, pathologist: User
) -> None:
    accept_seen(neutrophils, pathologist, looks_at(neutrophils, [3, 4]))
    assert human_marks(neutrophils) == ["", "", "", "lymphocyte", "monocyte"]
    assert AuditEvent.objects.filter(action="cell.accepted").count() == 1


def test_a_selection_leaves_what_a_human_has_named_as_it_is(
    neutrophils: Case, pathologist: User
) -> None:
    accept_seen(neutrophils, pathologist, looks_at(neutrophils, [0]))
    corrections.correct_cells(
        case_id=neutrophils.pk,
        actor=pathologist,
        cell_ids=[cells_of(neutrophils)[1].pk],
        cell_type="blast",
        action_id=uuid.uuid4(),
    )
    accept_seen(neutrophils, pathologist, looks_at(neutrophils, [0, 1, 2]))
    assert human_marks(neutrophils)[:3] == ["neutrophil", "blast", "neutrophil"]
    accept_seen(neutrophils, pathologist, looks_at(neutrophils, [1]))
    assert human_marks(neutrophils)[1] == "neutrophil"


def test_there_is_nothing_to_accept_on_an_unread_cell(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case(["neutrophil", ""], in_review=True)
    with pytest.raises(GuardFailed, match="1 cell has no reading"):
        accept_seen(case, pathologist, looks_at(case, [0, 1]))


def test_a_repeated_request_changes_nothing_more(neutrophils: Case, pathologist: User) -> None:
    request: dict[str, Any] = {
        "case_id": neutrophils.pk,
        "actor": pathologist,
        "cell_type": "neutrophil",
        "looks": looks_at(neutrophils, [0, 1]),
        "action_id": uuid.uuid4(),
    }
    first = acceptance.accept_class(**request)
    again = acceptance.accept_class(**request)
    assert set(first.action.cell_ids) == set(again.action.cell_ids)
    assert again.left_out == ()
    assert Correction.objects.count() == 2
    assert AuditEvent.objects.filter(action="cell.accepted_by_class").count() == 1


def test_an_action_id_of_other_cells_is_refused(neutrophils: Case, pathologist: User) -> None:
    done = accept_class(neutrophils, pathologist, "neutrophil", looks_at(neutrophils, [0]))
    with pytest.raises(EditConflict):
        acceptance.accept_seen(
            case_id=neutrophils.pk,
            actor=pathologist,
            looks=looks_at(neutrophils, [3]),
            action_id=done.action.action_id,
        )


def test_only_the_reviewer_accepts(neutrophils: Case, technician: User) -> None:
    with pytest.raises(NotPermitted):
        accept_class(neutrophils, technician, "neutrophil", looks_at(neutrophils, [0]))


def test_the_endpoint_says_what_was_accepted_and_what_was_left_out(
    neutrophils: Case, pathologist: User, client_for: Any
) -> None:
    client: Client = client_for(pathologist)
    looks: list[dict[str, Any]] = [
        {"cell": str(cell), "revision": revision}
        for cell, revision in looks_at(neutrophils, [0, 1, 2]).items()
    ]
    looks[2]["revision"] += 1
    body = {"action_id": str(uuid.uuid4()), "cell_type": "neutrophil", "looks": looks}
    address = reverse("classifier:review_class_acceptances", args=[neutrophils.pk])
    answer = client.post(address, json.dumps(body), content_type="application/json")
    assert answer.status_code == 200
    assert [cell["tag"] for cell in answer.json()["cells"]] == ["confirmed", "confirmed"]
    assert [cell["id"] for cell in answer.json()["left_out"]] == [looks[2]["cell"]]
    wrongs: list[dict[str, Any]] = [
        {"looks": []},
        {"looks": [{"cell": "x"}]},
        {"cell_type": "macrophage"},
    ]
    for wrong in wrongs:
        refused = client.post(address, json.dumps(body | wrong), content_type="application/json")
        assert refused.status_code == 400
