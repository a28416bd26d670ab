"""From signed cells to a judged candidate, by the process that really trains."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, CellOrigin, DetectedKind, RunStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import (
    Case,
    Cell,
    ClassificationRun,
    ModelVersion,
    Prediction,
    SmearImage,
)
from classifier.services.cases import OrderDetails, open_case
from classifier.services.images import add_image
from classifier.services.model_versions import activate_version
from classifier.services.patients import register_patient
from classifier.services.reviews import open_review
from learning.enums import Method, Origin, PromotionKind, SetKind, WorkStatus
from learning.models import Retraining, TrainingSet
from learning.services import golden, retraining
from learning.services.evaluations import evaluate_waiting
from learning.services.promotions import promote
from learning.services.releases import register_candidate
from learning.services.retraining import ask_retraining, judge_evaluated, retrain_waiting
from learning.services.training_sets import freeze_training_set
from ml.artifacts import DEFAULT_RELEASE
from ml.classes import CELL_CLASSES
from ml.preprocessing import to_png
from ml.synthetic import render_cell
from tests.browsing import SignIn
from tests.clinical import JANE, recent_specimen
from tests.learning.judging import proof
from tests.learning.test_training_sets import approve_basis, open_today, sign
from tests.pages import words_of
from tests.reviewing import accept

pytestmark = [pytest.mark.django_db, pytest.mark.real_model]

CLASSES = ("neutrophil", "lymphocyte", "monocyte")
PATIENTS = 5
TILE = 120
"""Pixels of a field from one drawn cell to the next."""


@pytest.fixture
def in_use(administrator: User) -> ModelVersion:
    version = register_candidate(DEFAULT_RELEASE, origin=Origin.COMMAND, actor=administrator)
    return activate_version(version_id=version.pk, actor=administrator, reason="first")


@pytest.fixture
def make_set(
    in_use: ModelVersion, technician: User, pathologist: User, administrator: User
) -> TrainingSet:
    """A frozen set of drawn cells that a pathologist accepted: seven a class of five patients."""
    approve_basis(administrator, pathologist)
    for number in range(PATIENTS):
        sign(read_case(number, 21, in_use, technician, pathologist), pathologist)
    return freeze_training_set(set_id=open_today(administrator).pk, actor=administrator)


@pytest.fixture
def small_set(
    in_use: ModelVersion, technician: User, pathologist: User, administrator: User
) -> TrainingSet:
    """A frozen set of two cells."""
    approve_basis(administrator, pathologist)
    sign(read_case(1, 2, in_use, technician, pathologist), pathologist)
    return freeze_training_set(set_id=open_today(administrator).pk, actor=administrator)


def read_case(
    number: int, cells: int, version: ModelVersion, technician: User, pathologist: User
) -> Case:
    """A case of one drawn field whose cells a pathologist accepted as what they are."""
    identity = replace(JANE, mrn=f"RETRAIN{number}", birth_date=date(1950 + number, 1, 1))
    patient = register_patient(actor=technician, identity=identity, duplicate_reason="no other")
    case = open_case(
        actor=technician, patient=patient, order=OrderDetails(), specimen=recent_specimen()
    )
    labels = [CLASSES[place % len(CLASSES)] for place in range(cells)]
    tiles = [render_cell(label, seed=100 * number + place, size=TILE)
             for place, label in enumerate(labels)]  # fmt: skip
    image = add_image(
        case_id=case.pk, actor=technician, data=to_png(np.hstack(tiles)),
        file_name=f"{number}.png", kind="field",
    )  # fmt: skip
    read_field(image, labels, version)
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.AWAITING_REVIEW)
    open_review(case_id=case.pk, actor=pathologist)
    accept(case, list(range(cells)), pathologist)
    return case


def read_field(image: SmearImage, labels: Sequence[str], version: ModelVersion) -> None:
    """Record a finished run that found a cell in the middle of each tile and named it rightly."""
    now = timezone.now()
    run = ClassificationRun.objects.create(
        image=image, model_version=version, status=RunStatus.SUCCEEDED, attempt=1,
        started_at=now, finished_at=now,
    )  # fmt: skip
    rim = TILE // 5
    found = Cell.objects.bulk_create(
        Cell(
            image=image, x0=TILE * place + rim, y0=rim, x1=TILE * (place + 1) - rim, y1=TILE - rim,
            origin=CellOrigin.MACHINE, detected_as=DetectedKind.LEUKOCYTE,
            detection_confidence=0.9,
        )
        for place in range(len(labels))
    )  # fmt: skip
    rest = dict.fromkeys(CELL_CLASSES, 0.03 / (len(CELL_CLASSES) - 1))
    Prediction.objects.bulk_create(
        Prediction(
            run=run, cell=cell, cell_type=label, confidence=0.97,
            probabilities=rest | {label: 0.97}, is_referred=False, candidates=[label],
        )
        for cell, label in zip(found, labels, strict=True)
    )  # fmt: skip


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


def train(asked: Retraining) -> ModelVersion:
    """Have a worker do it; what comes of it is a candidate."""
    retrain_waiting()
    asked.refresh_from_db()
    assert (asked.status, asked.message) == (WorkStatus.DONE, "")
    made = asked.version
    assert made is not None
    assert not made.is_active
    return made


def test_a_candidate_is_retrained_judged_and_promoted_without_override(
    make_set: TrainingSet, in_use: ModelVersion, administrator: User, client_for: SignIn
) -> None:
    freeze_golden(administrator)
    client = client_for(administrator)
    address = reverse("learning:train", args=[make_set.pk])
    client.post(address)
    assert not Retraining.objects.exists()
    client.post(address, {"method": "retrain"})
    assert "Waiting for a worker" in words_of(client.get(make_set.get_absolute_url()))
    asked = Retraining.objects.get()
    again = ask_retraining(set_id=make_set.pk, method=Method.RETRAIN, actor=administrator)
    assert again == asked
    made = train(asked)
    assert str(made).endswith("1.3.0+lab.1")
    assert made.release.origin == Origin.RETRAINED
    learned = made.release.spec["training"]["retrained"]
    assert learned["set"]["digest"] == make_set.digest
    assert learned["set"]["patients"] == PATIENTS
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


def test_a_candidate_is_adapted_to_the_laboratory_and_says_to_which_cells(
    make_set: TrainingSet, in_use: ModelVersion, administrator: User, client_for: SignIn
) -> None:
    client = client_for(administrator)
    client.post(reverse("learning:train", args=[make_set.pk]), {"method": "adapt"})
    adapted = train(Retraining.objects.get())
    assert str(adapted).endswith("1.3.0+lab.1")
    assert adapted.release.origin == Origin.ADAPTED
    told = adapted.release.spec["metrics"]["adaptation"]
    assert told["set"]["digest"] == make_set.digest
    patients = {name: each["groups"] for name, each in told["classes"].items()}
    assert patients == dict.fromkeys(CLASSES, PATIENTS)
    shown = client.get(reverse("learning:model", args=[adapted.pk])).content.decode()
    assert "Adapted to HematoVision Laboratory" in shown
    assert make_set.digest in shown
    shown = words_of(client.get(make_set.get_absolute_url()))
    assert "There is no frozen set to compare on." in shown


def test_a_set_too_small_is_refused_in_words_before_a_worker_is_asked(
    small_set: TrainingSet, technician: User, administrator: User, client_for: SignIn
) -> None:
    for method, words in (
        (Method.RETRAIN, "2 of 1 patients can be used. It takes at least 50 cells of 5 patients"),
        (Method.ADAPT, "Too few cells to adapt to: 0 can be used. At least 100 are needed"),
    ):
        with pytest.raises(NotPermitted):
            ask_retraining(set_id=small_set.pk, method=method, actor=technician)
        with pytest.raises(GuardFailed, match=words):
            ask_retraining(set_id=small_set.pk, method=method, actor=administrator)
        assert words in words_of(client_for(administrator).get(small_set.get_absolute_url()))
    assert not Retraining.objects.exists()


def test_an_open_set_trains_nothing(
    in_use: ModelVersion, technician: User, pathologist: User, administrator: User
) -> None:
    approve_basis(administrator, pathologist)
    opened = open_today(administrator)
    with pytest.raises(GuardFailed, match="frozen sets only"):
        ask_retraining(set_id=opened.pk, method=Method.RETRAIN, actor=administrator)


def ask_anyway(small_set: TrainingSet, version: ModelVersion, actor: User) -> Retraining:
    """As if the set had been large enough when it was asked for."""
    return Retraining.objects.create(training_set=small_set, base=version, asked_by=actor)


def test_what_the_training_itself_refuses_is_told_and_can_be_asked_again(
    small_set: TrainingSet, in_use: ModelVersion, administrator: User
) -> None:
    asked = ask_anyway(small_set, in_use, administrator)
    retrain_waiting()
    asked.refresh_from_db()
    assert asked.status == WorkStatus.FAILED
    assert "at least 50 cells of 5 patients" in asked.message
    ask_anyway(small_set, in_use, administrator)


def test_a_training_is_stopped_and_its_process_with_it(
    small_set: TrainingSet, in_use: ModelVersion, administrator: User, client_for: SignIn
) -> None:
    asked = ask_anyway(small_set, in_use, administrator)
    claimed = retraining._claim()
    assert claimed == asked
    client = client_for(administrator)
    address = reverse("learning:train_stop", args=[asked.pk])
    for _ in range(2):
        assert client.post(address).status_code == 302
    retraining._work_on(claimed)
    asked.refresh_from_db()
    assert asked.status == WorkStatus.STOPPED
    assert asked.message == f"Stopped by {administrator.name_with_title}."
    assert AuditEvent.objects.filter(action="retraining.stopped").count() == 1
    assert not AuditEvent.objects.filter(action="retraining.failed").exists()
    assert ModelVersion.objects.get() == in_use
    assert asked.message in words_of(client.get(small_set.get_absolute_url()))


def test_a_worker_that_lost_its_claim_notes_nothing(
    small_set: TrainingSet, in_use: ModelVersion, administrator: User
) -> None:
    asked = ask_anyway(small_set, in_use, administrator)
    late = retraining._claim()
    Retraining.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert late is not None
    taken_over = retraining._claim()
    assert taken_over is not None
    assert taken_over.attempt == late.attempt + 1
    retraining._work_on(late)
    asked.refresh_from_db()
    assert (asked.status, asked.message) == (WorkStatus.RUNNING, "")
