"""A candidate on the golden set: evaluated, compared, refused or promoted, rolled back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import ModelVersion
from classifier.services import classification
from classifier.services.model_versions import activate_version
from learning.enums import PromotionKind, Standing, WorkStatus
from learning.models import Comparison, EvaluatedCell, Evaluation, LabelledSet, Promotion
from learning.selectors.registry import list_models
from learning.services import evaluations, promotions, rules
from learning.services.comparisons import compare, override_refusal
from tests.learning.judging import Bench, Knowing, proof
from tests.running import SubmitCase, claim, runs_of, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def active(bench: Bench, golden: LabelledSet) -> ModelVersion:
    """The version in use: right on every cell."""
    return bench.add(1, is_active=True)


def judged(version: ModelVersion, golden: LabelledSet, actor: User) -> Comparison:
    for each in (version, ModelVersion.objects.get(is_active=True)):
        evaluations.ask_evaluation(version_id=each.pk, set_id=golden.pk, actor=actor)
    evaluations.evaluate_waiting(worker="w")
    return compare(version_id=version.pk, set_id=golden.pk, actor=actor)


def standing_of(version: ModelVersion, user: User) -> Standing:
    return next(row.standing for row in list_models(user) if row.version == version)


def test_an_evaluation_has_every_figure_with_its_interval(
    bench: Bench, golden: LabelledSet, active: ModelVersion, administrator: User
) -> None:
    wrong = bench.pictures_of("lymphocyte")[:4]
    version = bench.add(2, wrong)
    made = evaluations.ask_evaluation(version_id=version.pk, set_id=golden.pk, actor=administrator)
    again = evaluations.ask_evaluation(version_id=version.pk, set_id=golden.pk, actor=administrator)
    assert again == made
    evaluations.evaluate_waiting(worker="w")
    made.refresh_from_db()
    assert (made.status, made.done, made.total) == (WorkStatus.DONE, 80, 80)
    recall = made.figures["classes"]["lymphocyte"]["recall"]
    assert (recall["value"], recall["n"]) == (0.9, 40)
    assert recall["interval_95"][0] < 0.9 < recall["interval_95"][1]
    assert made.figures["accuracy"]["value"] == 0.95
    assert made.figures["balanced_interval"][0] < 0.95 < made.figures["balanced_interval"][1]
    assert made.figures["referred"]["value"] == 0.0
    assert made.figures["coverage"]["value"] == 0.95


def test_an_evaluation_goes_on_where_a_vanished_worker_stopped(
    bench: Bench, golden: LabelledSet, active: ModelVersion, administrator: User
) -> None:
    made = evaluations.ask_evaluation(version_id=active.pk, set_id=golden.pk, actor=administrator)
    classifier = bench.classifiers[active.pk]
    assert isinstance(classifier, Knowing)
    claimed = evaluations._claim("gone")
    assert claimed is not None
    evaluations._read(claimed, classifier, list(golden.cells.order_by("pk")[:32]))
    evaluations.evaluate_waiting(worker="w")
    assert EvaluatedCell.objects.count() == 32
    past = timezone.now() - timedelta(seconds=1)
    Evaluation.objects.filter(pk=made.pk).update(lease_expires_at=past)
    evaluations.evaluate_waiting(worker="w")
    made.refresh_from_db()
    assert (made.status, made.done, made.attempt) == (WorkStatus.DONE, 80, 1)
    assert EvaluatedCell.objects.count() == 80
    assert classifier.calls == 4


def test_an_evaluation_gives_way_to_live_cases(
    bench: Bench, golden: LabelledSet, submit: SubmitCase, model: ModelVersion, administrator: User
) -> None:
    bench.classifiers[model.pk] = Knowing(bench.labels)
    submit(1)
    evaluations.ask_evaluation(version_id=model.pk, set_id=golden.pk, actor=administrator)
    evaluations.evaluate_waiting(worker="w")
    assert not EvaluatedCell.objects.exists()


def test_a_release_that_is_nowhere_fails_the_evaluation_in_words(
    bench: Bench, golden: LabelledSet, active: ModelVersion, administrator: User
) -> None:
    version = bench.add(2)
    del bench.classifiers[version.pk]
    made = evaluations.ask_evaluation(version_id=version.pk, set_id=golden.pk, actor=administrator)
    evaluations.evaluate_waiting(worker="w")
    made.refresh_from_db()
    assert (made.status, made.message) == (WorkStatus.FAILED, evaluations.UNREADABLE)


def test_a_candidate_that_is_worse_in_one_class_is_refused_with_the_table_that_says_why(
    bench: Bench, golden: LabelledSet, active: ModelVersion, administrator: User
) -> None:
    version = bench.add(2, bench.pictures_of("lymphocyte")[:12])
    made = judged(version, golden, administrator)
    assert made.is_refused
    rows = {row["name"]: row for row in made.table["classes"]}
    assert rows["neutrophil"]["verdict"] == "holds"
    assert rows["lymphocyte"]["verdict"] == "worse"
    assert rows["lymphocyte"]["difference"] == pytest.approx(-0.3)
    assert (rows["lymphocyte"]["only_first_right"], rows["lymphocyte"]["only_second_right"]) == (
        0,
        12,
    )
    assert rows["lymphocyte"]["p_value"] == pytest.approx(2 / 2**12)
    assert "lymphocyte is worse: -30.0 points" in made.table["reasons"][0]
    assert standing_of(version, administrator) == Standing.REFUSED
    assert AuditEvent.objects.get(action="model.refused").after is not None
    with pytest.raises(GuardFailed, match="refused on golden v1"):
        promotions.promote(version_id=version.pk, reason="r", actor=administrator,
                           reauthentication=proof(administrator))  # fmt: skip


def test_a_candidate_that_is_as_good_is_promoted(
    bench: Bench, golden: LabelledSet, active: ModelVersion, administrator: User
) -> None:
    version = bench.add(2)
    with pytest.raises(GuardFailed, match="not compared on golden v1"):
        promotions.promote(version_id=version.pk, reason="r", actor=administrator,
                           reauthentication=proof(administrator))  # fmt: skip
    assert not judged(version, golden, administrator).is_refused
    made = promotions.promote(version_id=version.pk, reason="as good", actor=administrator,
                              reauthentication=proof(administrator))  # fmt: skip
    version.refresh_from_db()
    assert (version.is_active, version.approved_by) == (True, administrator)
    assert (made.kind, made.replaced) == (PromotionKind.PROMOTED, active)
    assert made.comparisons.count() == 1


def test_rolling_back_returns_to_what_was_in_use_before(bench: Bench, administrator: User) -> None:
    first, second = bench.add(1), bench.add(2)
    for each in (first, second):
        activate_version(version_id=each.pk, actor=administrator, reason="r")
    made = promotions.roll_back(reason="odd answers", actor=administrator,
                                reauthentication=proof(administrator))  # fmt: skip
    first.refresh_from_db()
    assert first.is_active
    assert (made.kind, made.version, made.replaced) == (PromotionKind.ROLLED_BACK, first, second)
    assert standing_of(second, administrator) == Standing.RETIRED
    with pytest.raises(DatabaseError), transaction.atomic():
        Promotion.objects.update(reason="another")


def test_an_overridden_refusal_is_promoted_by_somebody_else_only(
    bench: Bench, golden: LabelledSet, active: ModelVersion, administrator: User, pathologist: User,
    technician: User,
) -> None:  # fmt: skip
    version = bench.add(2, bench.pictures_of("lymphocyte")[:12])
    made = judged(version, golden, administrator)
    with pytest.raises(NotPermitted):
        override_refusal(comparison_id=made.pk, reason="r", actor=technician)
    with pytest.raises(GuardFailed):
        override_refusal(comparison_id=made.pk, reason=" ", actor=pathologist)
    override_refusal(comparison_id=made.pk, reason="only drawn cells", actor=pathologist)
    promoted = promotions.promote(version_id=version.pk, reason="with open eyes",
                                  actor=administrator,
                                  reauthentication=proof(administrator))  # fmt: skip
    assert promoted.kind == PromotionKind.OVERRIDDEN


def test_who_overrode_a_refusal_does_not_promote(
    bench: Bench, golden: LabelledSet, active: ModelVersion, administrator: User
) -> None:
    version = bench.add(2, bench.pictures_of("lymphocyte")[:12])
    made = judged(version, golden, administrator)
    override_refusal(comparison_id=made.pk, reason="mine", actor=administrator)
    with pytest.raises(GuardFailed, match="somebody else has to promote"):
        promotions.promote(version_id=version.pk, reason="r", actor=administrator,
                           reauthentication=proof(administrator))  # fmt: skip


def test_without_the_password_or_the_duty_nothing_is_promoted(
    bench: Bench, golden: LabelledSet, active: ModelVersion, administrator: User, pathologist: User
) -> None:
    version = bench.add(2)
    judged(version, golden, administrator)
    for actor, shown in ((pathologist, pathologist), (administrator, pathologist)):
        with pytest.raises(NotPermitted):
            promotions.promote(version_id=version.pk, reason="r", actor=actor,
                               reauthentication=proof(shown))  # fmt: skip


def test_cases_in_flight_keep_the_version_they_began_with(
    bench: Bench, submit: SubmitCase, model: ModelVersion, administrator: User
) -> None:
    bench.classifiers[model.pk] = Knowing({})
    before = submit(1)
    newer = bench.add(2)
    activate_version(version_id=newer.pk, actor=administrator, reason="r")
    after = submit(1)
    classification.classify_waiting_runs(worker="w")
    assert [run.model_version for run in runs_of(before)] == [model]
    assert [run.model_version for run in runs_of(after)] == [newer]
    assert status_of(before) == status_of(after) == CaseStatus.AWAITING_REVIEW
    assert claim(model) == []


def test_the_rule_is_proposed_by_one_and_approved_by_another(
    bench: Bench, golden: LabelledSet, active: ModelVersion, administrator: User, pathologist: User
) -> None:
    assert rules.rule_in_force().version == 1
    proposed = rules.propose_rule(margin_points=Decimal(40), least_cells=10, source="own data",
                                  actor=administrator)  # fmt: skip
    assert rules.rule_in_force().version == 1
    with pytest.raises(NotPermitted):
        rules.approve_rule(rule_id=proposed.pk, actor=administrator)
    rules.approve_rule(rule_id=proposed.pk, actor=pathologist)
    assert rules.rule_in_force() == proposed
    version = bench.add(2, bench.pictures_of("lymphocyte")[:8])
    assert not judged(version, golden, administrator).is_refused


def test_a_frozen_set_never_changes(golden: LabelledSet, administrator: User) -> None:
    cell = golden.cells.order_by("pk")[0]
    with pytest.raises(DatabaseError, match="only a draft takes cells"), transaction.atomic():
        golden.cells.create(key="more", cell_type="monocyte", group="g", sha256="0" * 64)
    with pytest.raises(DatabaseError), transaction.atomic():
        type(cell).objects.filter(pk=cell.pk).update(cell_type="monocyte")
    with pytest.raises(DatabaseError), transaction.atomic():
        LabelledSet.objects.filter(pk=golden.pk).update(digest="1" * 64)
