"""What several readers, or a reader and the machine, called the same cell, and when."""

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from classifier.enums import ReadingSeat, ReviewOutcome, StudyStatus
from classifier.models import Correction, Prediction, ReferenceMark, Review
from learning.models import Nomination
from quality.enums import Basis
from quality.models import CheckAnswer
from quality.periods import Period

MACHINE: Final = 0
TRUTH: Final = -1
"""What experts agreed on, among readers. Readers' keys begin at 1."""

Names = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """That in a case, each of these readers gave these classes to the same cell; so many cells."""

    case: Hashable
    names: Names
    cells: int = 1


def words_of(basis: Basis, period: Period) -> list[Words]:
    """Return what was said of every cell that two or more named."""
    return list(_SOURCES[basis](period))


def _blind(period: Period) -> Iterator[Words]:
    """Both blind readers of the studies that were completed in the period."""
    by_cell: defaultdict[tuple[uuid.UUID, int], dict[int, str]] = defaultdict(dict)
    for case, cell, reader, name, *_ in _blind_marks(period):
        by_cell[case, cell][reader] = name
    return (Words(case, tuple(names.items())) for (case, _), names in by_cell.items())


def _machine_blind(period: Period) -> Iterator[Words]:
    """Each blind reader beside what the machine had said before, where it had named the cell."""
    for case, _, reader, name, machine, referred in _blind_marks(period):
        if machine and not referred:
            yield Words(case, ((reader, name), (MACHINE, machine)))


def _blind_marks(period: Period) -> Iterable[tuple[Any, ...]]:
    marks = ReferenceMark.objects.filter(
        reading__seat__in=(ReadingSeat.FIRST, ReadingSeat.SECOND),
        reading__left_at=None,
        reading__study__status=StudyStatus.COMPLETE,
        reading__study__ended_at__gte=period.begins_at,
        reading__study__ended_at__lt=period.ends_before,
    )
    latest = marks.order_by("reading_id", "cell_id", "-pk").distinct("reading_id", "cell_id")
    return _beside_machine(latest, "cell__cell").values_list(
        "reading__study__case", "cell", "reading__reader", "cell_type", "machine", "referred"
    )


def _checks(period: Period) -> Iterator[Words]:
    """What readers called known cells in the checks that they completed, beside what they are."""
    answers = CheckAnswer.objects.filter(
        cell__known__retired_at=None,
        cell__check_of__completed_at__gte=period.begins_at,
        cell__check_of__completed_at__lt=period.ends_before,
    )
    rows = answers.order_by("cell_id", "-pk").distinct("cell_id")
    for group, reader, name, agreed in rows.values_list(
        "cell__known__group", "cell__check_of__reader", "cell_type", "cell__known__cell_type"
    ):
        yield Words(group, ((reader, name), (TRUTH, agreed)))


def _labelled(period: Period) -> Iterator[Words]:
    """The signer of a case, and who named a cell of it from its picture alone."""
    read = Nomination.objects.filter(
        read_at__gte=period.begins_at, read_at__lt=period.ends_before
    ).exclude(second_type="")
    rows = read.values_list(
        "cell__image__case", "first_reader", "first_type", "second_reader", "second_type"
    )
    for case, first, first_name, second, second_name in rows:
        yield Words(case, ((first, first_name), (second, second_name)))


def _reviews(period: Period) -> Iterator[Words]:
    """Who signed a case, and who had named its cells before that review was opened.

    What the signer left as it was counts as named so: a signature answers for every cell.
    """
    signed = Review.objects.filter(
        outcome=ReviewOutcome.SIGNED,
        completed_at__gte=period.begins_at,
        completed_at__lt=period.ends_before,
    )
    before = Correction.objects.filter(
        review__case=OuterRef("case"), created_at__lt=OuterRef("opened_at")
    ).exclude(created_by=OuterRef("reviewer"))
    reviews = list(signed.filter(Exists(before)).order_by("pk"))
    marks: defaultdict[uuid.UUID, list[Correction]] = defaultdict(list)
    found = Correction.objects.filter(review__case__in={review.case_id for review in reviews})
    for mark in found.select_related("review").order_by("pk"):
        marks[mark.review.case_id].append(mark)
    for review in reviews:
        yield from _passed_on(review, marks[review.case_id])


def _passed_on(review: Review, marks: Iterable[Correction]) -> Iterator[Words]:
    """Each cell of a review that somebody else had named last before it."""
    before: dict[uuid.UUID, Correction] = {}
    within: dict[uuid.UUID, Correction] = {}
    for mark in marks:
        if mark.review_id == review.pk:
            within[mark.cell_id] = mark
        elif mark.created_at < review.opened_at:
            before[mark.cell_id] = mark
    for cell, first in before.items():
        second = within.get(cell, first)
        if _is_word_of_another(first, review) and _is_word(second):
            names = ((first.created_by_id, first.cell_type), (review.reviewer_id, second.cell_type))
            yield Words(review.case_id, names)


def _is_word_of_another(mark: Correction, review: Review) -> bool:
    carried = mark.review.outcome == ReviewOutcome.CARRIED_OVER
    return _is_word(mark) and not carried and mark.created_by_id != review.reviewer_id


def _is_word(mark: Correction) -> bool:
    return bool(mark.cell_type) and not mark.is_removed


def _machine(period: Period) -> Iterator[Words]:
    """What a person last called a cell, and what the machine had called it before.

    Cells that the machine referred are left out: of these it had said nothing.
    """
    said = Correction.objects.filter(
        created_at__gte=period.begins_at, created_at__lt=period.ends_before, is_removed=False
    ).exclude(Q(cell_type="") | Q(review__outcome=ReviewOutcome.CARRIED_OVER))
    later = Correction.objects.filter(cell=OuterRef("cell"), pk__gt=OuterRef("pk"))
    sure = _beside_machine(said.filter(~Exists(later)), "cell").filter(referred=False)
    rows = sure.order_by().values_list("review__case", "created_by", "cell_type", "machine")
    for case, reader, name, machine, cells in rows.annotate(Count("pk")):
        yield Words(case, ((reader, name), (MACHINE, machine)), cells)


def _beside_machine(rows: "QuerySet[Any]", cell: str) -> "QuerySet[Any]":
    """Annotate what the machine had called the cell before the row, and whether it referred it."""
    earlier = Prediction.objects.filter(
        cell=OuterRef(cell), created_at__lt=OuterRef("created_at")
    ).order_by("-pk")
    return rows.annotate(
        machine=Subquery(earlier.values("cell_type")[:1]),
        referred=Subquery(earlier.values("is_referred")[:1]),
    )


_SOURCES: Final = {
    Basis.BLIND: _blind,
    Basis.CHECKS: _checks,
    Basis.LABELLED: _labelled,
    Basis.REVIEW: _reviews,
    Basis.MACHINE_BLIND: _machine_blind,
    Basis.MACHINE: _machine,
}
