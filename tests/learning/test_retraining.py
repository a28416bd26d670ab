"""From signed cells to a judged candidate, by the process that really trains."""

from dataclasses import replace
from datetime import date

import pytest
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Case, ModelVersion, SmearImage
from classifier.services.cases import OrderDetails, open_case
from classifier.services.images import add_image
from classifier.services.model_versions import activate_version
from classifier.services.patients import register_patient
from classifier.services.reviews import open_review
from learning.enums import Origin, PromotionKind, SetKind, WorkStatus
from learning.models import Retraining, TrainingSet
from learning.services import golden
from learning.services.evaluations import evaluate_waiting
from learning.services.promotions import promote
from learning.services.releases import register_candidate
from learning.services.retraining import ask_retraining, judge_evaluated, retrain_waiting
from learning.services.training_sets import freeze_training_set
from ml.artifacts import DEFAULT_RELEASE
from ml.preprocessing import to_png
from ml.synthetic import render_cell
from tests.browsing import SignIn
from tests.clinical import JANE, recent_specimen
from tests.learning.judging import proof
from tests.learning.test_training_sets import approve_basis, open_today, sign
from tests.pages import words_of
from tests.reviewing import accept, cells_of, read_image

pytestmark = [pytest.mark.django_db, pytest.mark.real_model]

CLASSES = ("neutrophil", "lymphocyte", "monocyte")


@pytest.fixture
def in_use(administrator: User) -> ModelVersion:
    version = register_candidate(DEFAULT_RELEASE, origin=Origin.COMMAND, actor=administrator)
    return activate_version(version_id=version.pk, actor=administrator, reason="first")


@pytest.fixture
def make_set(
    in_use: ModelVersion, technician: User, pathologist: User, administrator: User
) -> TrainingSet:
    """A frozen set of drawn cells that a pathologist accepted: nine of each of six patients."""
    approve_basis(administrator, pathologist)
    for number in range(6):
        sign(read_case(number, 9, in_use, technician, pathologist), pathologist)
    return freeze_training_set(set_id=open_today(administrator).pk, actor=administrator)


def read_case(
    number: int, cells: int, version: ModelVersion, technician: User, pathologist: User
) -> Case:
    identity = replace(JANE, mrn=f"RETRAIN{number}", birth_date=date(1950 + number, 1, 1))
    patient = register_patient(actor=technician, identity=identity, duplicate_reason="no other")
    case = open_case(
        actor=technician, patient=patient, order=OrderDetails(), specimen=recent_specimen()
    )
    for place in range(cells):
        label = CLASSES[place % len(CLASSES)]
        read_image(add_drawn(case, label, 100 * number + place, technician), version, label)
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.AWAITING_REVIEW)
    open_review(case_id=case.pk, actor=pathologist)
    accept(case, list(range(len(cells_of(case)))), pathologist)
    return case


def add_drawn(case: Case, label: str, seed: int, technician: User) -> SmearImage:
    data = to_png(render_cell(label, seed=seed, size=96))
    return add_image(
        case_id=case.pk, actor=technician, data=data, file_name=f"{seed}.png", kind="cell"
    )


def freeze_golden(actor: User) -> None:
    draft = golden.open_set(
        name="gold", kind=SetKind.GOLDEN, source="drawn", licence="CC0", actor=actor
    )
    pictures = [
        golden.Picture(f"{label}/{seed}", label, f"{label}/{seed}",
                       to_png(render_cell(label, seed=seed, size=96)))
        for label in CLASSES
        for seed in range(9000, 9030)
    ]  # fmt: skip
    golden.import_pictures(set_id=draft.pk, pictures=pictures, actor=actor)
    golden.freeze_set(set_id=draft.pk, actor=actor)


def test_a_candidate_is_trained_registered_judged_and_promoted_without_override(
    make_set: TrainingSet, in_use: ModelVersion, administrator: User, client_for: SignIn
) -> None:
    freeze_golden(administrator)
    client = client_for(administrator)
    client.post(reverse("learning:train", args=[make_set.pk]))
    assert "Waiting for a worker" in words_of(client.get(make_set.get_absolute_url()))
    asked = Retraining.objects.get()
    assert ask_retraining(set_id=make_set.pk, actor=administrator) == asked
    retrain_waiting()
    asked.refresh_from_db()
    assert (asked.status, asked.message) == (WorkStatus.DONE, "")
    made = asked.version
    assert made is not None
    assert str(made).endswith("1.3.0+lab.1")
    assert not made.is_active
    assert made.release.origin == Origin.RETRAINED
    learned = made.release.spec["training"]["retrained"]
    assert learned["set"]["digest"] == make_set.digest
    assert learned["set"]["patients"] == 6
    assert not asked.is_judged
    while made.evaluations.get().is_open:
        evaluate_waiting(worker="w")
    judge_evaluated()
    (comparison,) = made.comparisons.all()
    assert comparison.incumbent == in_use
    assert not comparison.is_refused, comparison.table["reasons"]
    shown = words_of(client.get(make_set.get_absolute_url()))
    assert "At least as good" in shown
    assert "the table on gold v1" in shown
    promotion = promote(
        version_id=made.pk,
        reason="it knows monocytes as they are drawn",
        actor=administrator,
        reauthentication=proof(administrator),
    )
    assert promotion.kind == PromotionKind.PROMOTED
    assert AuditEvent.objects.filter(action="retraining.done", target_id=str(made.pk)).exists()


def test_a_set_too_small_fails_with_a_sentence(
    in_use: ModelVersion, technician: User, pathologist: User, administrator: User
) -> None:
    approve_basis(administrator, pathologist)
    sign(read_case(1, 2, in_use, technician, pathologist), pathologist)
    opened = open_today(administrator)
    with pytest.raises(GuardFailed, match="frozen sets only"):
        ask_retraining(set_id=opened.pk, actor=administrator)
    frozen = freeze_training_set(set_id=opened.pk, actor=administrator)
    with pytest.raises(NotPermitted):
        ask_retraining(set_id=frozen.pk, actor=technician)
    asked = ask_retraining(set_id=frozen.pk, actor=administrator)
    retrain_waiting()
    asked.refresh_from_db()
    assert asked.status == WorkStatus.FAILED
    assert "at least 50 cells of 5 patients" in asked.message
    again = ask_retraining(set_id=frozen.pk, actor=administrator)
    assert again.pk != asked.pk
