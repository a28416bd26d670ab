"""Training sets: whose cells may be learned from, who disagrees, and that frozen they stay."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case
from learning.enums import LeftOut, SetKind, TrainingState, Voice
from learning.models import BasisOfUse, TrainingCell, TrainingSet
from learning.selectors.training import get_training_set
from learning.services import consent, golden
from learning.services.training_sets import (
    freeze_training_set,
    gather_waiting,
    leave_out,
    manifest_cells,
    open_training_set,
)
from ml.training_sets import digest_of_cells
from tests.browsing import SignIn
from tests.merging import merge, register
from tests.pages import words_of
from tests.restricting import restrict
from tests.reviewing import Correct, MakeCase, accept, cells_of

pytestmark = pytest.mark.django_db

WORDS = "General consent of the hospital, vote 12/2024"


def approve_basis(
    administrator: User, pathologist: User, covers_from: date = date(2020, 1, 1)
) -> BasisOfUse:
    proposed = consent.propose_basis(
        words=WORDS, licence="within the hospital", covers_from=covers_from, actor=administrator
    )
    return consent.approve_basis(basis_id=proposed.pk, actor=pathologist)


def sign(case: Case, pathologist: User) -> Case:
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.SIGNED_OFF, signed_by=pathologist, signed_at=timezone.now()
    )
    return case


def around_today() -> tuple[date, date]:
    """From yesterday to tomorrow, whatever the zone."""
    today = timezone.localdate()
    return today - timedelta(days=1), today + timedelta(days=1)


def open_today(actor: User) -> TrainingSet:
    since, until = around_today()
    opened = open_training_set(since=since, until=until, actor=actor)
    gather_waiting()
    opened.refresh_from_db()
    return opened


@pytest.fixture
def basis(administrator: User, pathologist: User) -> BasisOfUse:
    return approve_basis(administrator, pathologist)


@pytest.fixture
def signed(classified_case: MakeCase, correct: Correct, pathologist: User) -> Case:
    """Four cells: one renamed, one accepted, one that nobody looked at, one unidentified."""
    case = classified_case(["neutrophil"] * 4, in_review=True)
    correct(case, [0], "eosinophil")
    accept(case, [1], pathologist)
    correct(case, [3], "unidentified")
    return sign(case, pathologist)


def test_named_and_accepted_cells_go_in_with_who_disagrees(
    signed: Case, basis: BasisOfUse, administrator: User, pathologist: User
) -> None:
    opened = open_today(administrator)
    assert opened.state == TrainingState.DRAFT
    first, second, *_ = cells_of(signed)
    taken = {cell.cell_id: cell for cell in opened.cells.all()}
    assert set(taken) == {first.pk, second.pk}
    assert (taken[first.pk].cell_type, taken[second.pk].cell_type) == ("eosinophil", "neutrophil")
    assert taken[first.pk].named_by == pathologist
    assert taken[first.pk].other_names == [[Voice.MACHINE, "neutrophil"]]
    assert taken[second.pk].other_names == []
    page = get_training_set(administrator, opened.pk)
    assert page.pairs == [(Voice.MACHINE.label, "eosinophil", "neutrophil", 1)]


def test_without_an_approved_basis_nothing_is_learned_from(
    signed: Case, administrator: User, pathologist: User
) -> None:
    with pytest.raises(GuardFailed, match="No basis of use"):
        open_today(administrator)
    proposed = consent.propose_basis(
        words=WORDS, licence="none", covers_from=date(2020, 1, 1), actor=administrator
    )
    with pytest.raises(NotPermitted):
        consent.approve_basis(basis_id=proposed.pk, actor=administrator)
    with pytest.raises(GuardFailed, match="No basis of use"):
        open_today(administrator)
    consent.approve_basis(basis_id=proposed.pk, actor=pathologist)
    consent.end_basis(basis_id=proposed.pk, actor=administrator)
    with pytest.raises(GuardFailed, match="No basis of use"):
        open_today(administrator)


def test_cases_before_the_basis_are_left_out_and_counted(
    signed: Case, administrator: User, pathologist: User
) -> None:
    approve_basis(administrator, pathologist, timezone.localdate() + timedelta(days=1))
    opened = open_today(administrator)
    assert opened.counts == {LeftOut.NO_BASIS: 2}
    with pytest.raises(GuardFailed, match="holds no cell"):
        freeze_training_set(set_id=opened.pk, actor=administrator)


def test_a_patient_who_objects_is_left_out_also_after_gathering(
    signed: Case, basis: BasisOfUse, administrator: User
) -> None:
    opened = open_today(administrator)
    assert opened.cells.count() == 2
    objection = consent.record_objection(
        accession_number=signed.accession_number, reason="letter", actor=administrator
    )
    again = consent.record_objection(
        accession_number=signed.accession_number, reason="letter", actor=administrator
    )
    assert again == objection
    with pytest.raises(GuardFailed, match="holds no cell"):
        freeze_training_set(set_id=opened.pk, actor=administrator)
    consent.end_objection(objection_id=objection.pk, actor=administrator)
    frozen = freeze_training_set(set_id=opened.pk, actor=administrator)
    assert len(manifest_cells(frozen)) == 2


def test_an_objection_holds_for_a_merged_patient(
    signed: Case, basis: BasisOfUse, administrator: User, technician: User
) -> None:
    consent.record_objection(
        accession_number=signed.accession_number, reason="letter", actor=administrator
    )
    merge(signed.patient, register(technician), administrator)
    assert open_today(administrator).counts == {LeftOut.OBJECTION: 2}


def test_restricted_records_are_not_learned_from(
    signed: Case, basis: BasisOfUse, administrator: User
) -> None:
    restrict(administrator, signed.patient)
    assert open_today(administrator).counts == {LeftOut.RESTRICTED: 2}


def test_a_record_restricted_after_gathering_is_hidden_and_left_out(
    signed: Case, basis: BasisOfUse, administrator: User, pathologist: User
) -> None:
    before = open_today(administrator)
    restrict(administrator, signed.patient)
    assert get_training_set(pathologist, before.pk).disputed
    assert not get_training_set(administrator, before.pk).disputed
    with pytest.raises(GuardFailed, match="holds no cell"):
        freeze_training_set(set_id=before.pk, actor=administrator)


def test_patients_and_pictures_of_labelled_sets_are_never_learned_from(
    signed: Case, basis: BasisOfUse, administrator: User
) -> None:
    draft = golden.open_set(
        name="gold", kind=SetKind.GOLDEN, source="ours", licence="CC0", actor=administrator
    )
    first, *_ = cells_of(signed)
    picture = golden.Picture("a", "eosinophil", "g", golden.picture_of(first))
    golden.import_pictures(set_id=draft.pk, pictures=[picture], actor=administrator)
    opened = open_today(administrator)
    assert opened.counts == {LeftOut.GOLDEN_PICTURE: 1}
    freeze_training_set(set_id=opened.pk, actor=administrator)
    golden.nominate_case(
        set_id=draft.pk, accession_number=signed.accession_number, actor=administrator
    )
    again = open_today(administrator)
    assert again.counts == {LeftOut.GOLDEN_PATIENT: 2}
    assert not again.cells.exists()


@pytest.mark.parametrize("status", [CaseStatus.AMENDING, CaseStatus.ENTERED_IN_ERROR])
def test_reports_that_do_not_stand_are_not_learned_from(
    signed: Case, basis: BasisOfUse, administrator: User, status: CaseStatus
) -> None:
    Case.objects.filter(pk=signed.pk).update(status=status)
    assert not open_today(administrator).cells.exists()


def test_a_cell_is_left_out_for_a_reason_and_frozen_nothing_changes(
    signed: Case, basis: BasisOfUse, administrator: User, pathologist: User
) -> None:
    opened = open_today(administrator)
    cell = opened.cells.get(cell_type="eosinophil")
    with pytest.raises(NotPermitted):
        leave_out(cell_id=cell.pk, reason="blurred", actor=pathologist)
    leave_out(cell_id=cell.pk, reason="blurred", actor=administrator)
    frozen = freeze_training_set(set_id=opened.pk, actor=administrator)
    (kept,) = manifest_cells(frozen)
    assert kept.label == "neutrophil"
    assert kept.group == f"patient/{signed.patient_id}"
    assert frozen.digest == digest_of_cells([kept])
    with pytest.raises(GuardFailed, match="never changes"):
        leave_out(cell_id=cell.pk, reason="", actor=administrator)
    for change in (
        lambda: TrainingCell.objects.filter(pk=cell.pk).update(left_out_by=None, left_out=""),
        lambda: TrainingSet.objects.filter(pk=frozen.pk).update(digest="0" * 64),
    ):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            change()
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {
        "basis_of_use.approved", "training_set.opened", "training_set.gathered",
        "training_cell.left_out", "training_set.frozen",
    } <= actions  # fmt: skip


def test_the_pages_lead_from_basis_to_frozen_set(
    signed: Case, administrator: User, pathologist: User, technician: User, client_for: SignIn
) -> None:
    index, client = reverse("learning:training"), client_for(administrator)
    assert "nothing may be learned from" in words_of(client.get(index))
    basis_form = {"words": WORDS, "licence": "none", "covers_from": "2020-01-01"}
    client.post(reverse("learning:basis"), basis_form)
    basis = BasisOfUse.objects.get()
    decide = reverse("learning:basis_decide", args=[basis.pk, "approve"])
    assert client.post(decide).status_code == 403
    assert client_for(pathologist).post(decide).status_code == 302
    today = timezone.localdate()
    backward = {"since": today, "until": today - timedelta(days=3)}
    refused = client.post(index, backward)
    assert refused.status_code == 422
    assert "ends before it begins" in words_of(refused)
    client.post(index, {"since": today - timedelta(days=1), "until": today + timedelta(days=1)})
    gather_waiting()
    opened = TrainingSet.objects.get()
    shown = words_of(client.get(opened.get_absolute_url()))
    assert "The version that read it" in shown
    assert signed.accession_number in shown
    cell = opened.cells.get(cell_type="eosinophil")
    assert client.get(reverse("learning:training_picture", args=[cell.pk])).status_code == 200
    client.post(reverse("learning:training_cell", args=[cell.pk]), {"reason": "blurred"})
    client.post(reverse("learning:training_freeze", args=[opened.pk]))
    opened.refresh_from_db()
    assert opened.state == TrainingState.FROZEN
    shown = words_of(client_for(technician).get(opened.get_absolute_url()))
    assert "Left out: blurred" in shown
    assert "Train a candidate" not in shown
    assert Client().get(index).status_code == 302
