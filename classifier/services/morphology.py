"""A reviewer's grades of morphology: set, take back, call the rest absent; rows are only added."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import record
from classifier.enums import CellLine
from classifier.exceptions import EditConflict, GuardFailed
from classifier.models import MorphologyFeature, MorphologyFinding, Review
from classifier.selectors.morphology import features_in_force, latest_findings
from classifier.services.reviews import lock_own_review

if TYPE_CHECKING:
    from accounts.models import User

COMMENT_LIMIT = 250
HUNDREDTHS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Observation:
    """What a reviewer says of one feature.

    Without a grade it follows from the count (percent, in the feature's unit) by the cut-offs;
    with both, a grade that differs from what follows overrules it and is marked so.
    """

    grade: int | None
    count: Decimal | None = None
    comment: str = ""


@transaction.atomic
def grade_feature(
    *,
    case_id: uuid.UUID,
    actor: "User",
    code: str,
    observation: Observation,
    action_id: uuid.UUID,
) -> tuple[MorphologyFinding, ...]:
    """Grade a feature by the version of its cut-offs in force; the same again changes nothing.

    Raises:
        GuardFailed: no such feature is in use, the grade isn't one of its grades, or neither a
            grade nor a count from which one follows was given.
        EditConflict: the action id was used for something else.
        TransitionRefused, NotPermitted: the case isn't open with this person.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    repeated = _find_step(review, action_id, {code})
    if repeated is not None:
        return repeated
    feature = _feature_in_use(code)
    row = _row(review, feature, observation, action_id)
    former = latest_findings(review.case).get(code)
    if former and _says(former) == _says(row) and former.feature_id == feature.pk:
        return ()
    return _write(review, [row], "morphology.graded")


@transaction.atomic
def withdraw_grade(
    *, case_id: uuid.UUID, actor: "User", code: str, action_id: uuid.UUID
) -> tuple[MorphologyFinding, ...]:
    """Take back what was said of a feature: it counts as not looked at. Again is harmless.

    Raises:
        EditConflict, TransitionRefused, NotPermitted: see `grade_feature`.
    """
    review = lock_own_review(case_id=case_id, actor=actor)
    repeated = _find_step(review, action_id, {code})
    if repeated is not None:
        return repeated
    former = latest_findings(review.case).get(code)
    if former is None:
        return ()
    row = MorphologyFinding(
        review=review,
        feature=former.feature,
        is_withdrawn=True,
        action_id=action_id,
        created_by=actor,
    )
    return _write(review, [row], "morphology.withdrawn")


@transaction.atomic
def call_rest_absent(
    *, case_id: uuid.UUID, actor: "User", line: str, action_id: uuid.UUID
) -> tuple[MorphologyFinding, ...]:
    """Grade 0 every feature of a cell line that is shown first and was not graded yet.

    What was graded stands. If nothing of the line was found, the line is then normal.

    Raises:
        GuardFailed: there is no such cell line.
        EditConflict, TransitionRefused, NotPermitted: see `grade_feature`.
    """
    if line not in CellLine.values:
        raise GuardFailed("There is no such cell line.")
    review = lock_own_review(case_id=case_id, actor=actor)
    common = [item for item in features_in_force() if item.line == line and item.is_common]
    repeated = _find_step(review, action_id, {item.code for item in common})
    if repeated is not None:
        return repeated
    graded = latest_findings(review.case)
    rows = [
        _row(review, feature, Observation(0), action_id)
        for feature in common
        if feature.code not in graded
    ]
    return _write(review, rows, "morphology.graded")


def _find_step(
    review: Review, action_id: uuid.UUID, codes: set[str]
) -> tuple[MorphologyFinding, ...] | None:
    rows = tuple(MorphologyFinding.objects.filter(action_id=action_id).select_related("feature"))
    if not rows:
        return None
    if any(row.review_id != review.pk or row.feature.code not in codes for row in rows):
        raise EditConflict("This step was already recorded for something else.")
    return rows


def _feature_in_use(code: str) -> MorphologyFeature:
    found = next((item for item in features_in_force() if item.code == code), None)
    if found is None:
        raise GuardFailed("The laboratory doesn't use this feature.")
    return found


def _row(
    review: Review, feature: MorphologyFeature, said: Observation, action_id: uuid.UUID
) -> MorphologyFinding:
    count = _checked_count(feature, said.count)
    follows = None if count is None else feature.grade_of(count)
    grade = follows if said.grade is None else said.grade
    if grade not in feature.grades:
        raise GuardFailed(
            f"{feature.name}: choose a grade, or type the count that it follows from."
        )
    if len(said.comment) > COMMENT_LIMIT:
        raise GuardFailed(f"The comment is longer than {COMMENT_LIMIT} characters.")
    return MorphologyFinding(
        review=review,
        feature=feature,
        grade=grade,
        count=count,
        is_overruled=follows is not None and grade != follows,
        comment=" ".join(said.comment.split()),
        action_id=action_id,
        created_by=review.reviewer,
    )


def _checked_count(feature: MorphologyFeature, count: Decimal | None) -> Decimal | None:
    if count is None:
        return None
    if not feature.unit:
        raise GuardFailed(f"{feature.name} is judged by eye: leave the count empty.")
    if not 0 <= count <= 100:
        raise GuardFailed("A percentage lies between 0 and 100.")
    return count.quantize(HUNDREDTHS)


def _write(
    review: Review, rows: list[MorphologyFinding], audited_as: str
) -> tuple[MorphologyFinding, ...]:
    """Add the rows and one event of the audit trail that says what held before."""
    if not rows:
        return ()
    former = latest_findings(review.case)
    MorphologyFinding.objects.bulk_create(rows)
    record(
        actor=review.reviewer,
        action=audited_as,
        target=review.case,
        before={"morphology": _in_words(former.get(row.feature.code) for row in rows)},
        after={"action": rows[0].action_id, "morphology": _in_words(rows)},
        patient=review.case.patient_id,
    )
    return tuple(rows)


def _says(row: MorphologyFinding) -> tuple[Any, ...]:
    return row.grade, row.count, row.is_overruled, row.comment


def _in_words(rows: Iterable[MorphologyFinding | None]) -> dict[str, Any]:
    return {
        row.feature.code: {
            "grade": row.grade,
            "count": row.count,
            "overruled": row.is_overruled,
            "comment": row.comment,
            "version": row.feature.version,
        }
        for row in rows
        if row and not row.is_withdrawn
    }
