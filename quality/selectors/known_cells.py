"""The set of known cells: what may join it, what it holds, what may be shown to whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from classifier.enums import CellType, ReadingSeat, StudyStatus
from classifier.models import Case, Patient, ReferenceReading, ReferenceStudy, StudyCell
from classifier.selectors.reference_counts import blind_marks, marks_of
from learning.enums import SetKind, SetState
from learning.models import LabelledSet
from learning.selectors.unwilling import objecting_patients, restricted_patients
from quality.models import CheckCell, KnownCell

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Source:
    """A completed reference count or a frozen labelled set, and how many of its cells are kept."""

    kind: str
    key: Any
    title: str
    cells: int
    taken: int


def patients_left_out() -> "QuerySet[Patient]":
    """Return the patients whose cells nobody is checked on.

    Those whose record is restricted, and those who object to any use beside their care.
    """
    apart = Q(pk__in=restricted_patients()) | Q(pk__in=objecting_patients())
    return Patient.objects.filter(apart)


def usable_cells() -> "QuerySet[KnownCell]":
    """Return the known cells that may be shown: not retired, of no patient that is left out."""
    in_use = KnownCell.objects.filter(retired_at=None)
    return in_use.exclude(cell__image__case__patient__in=patients_left_out())


def usable_for(reader: "User") -> "QuerySet[KnownCell]":
    """Return the usable cells, but none of a patient whose cells the reader is reading blind."""
    open_to = Case.objects.not_read_blind_by(reader).filter(pk=OuterRef("cell__image__case"))
    return usable_cells().filter(Q(cell=None) | Exists(open_to))


def cells_for(reader: "User") -> "QuerySet[KnownCell]":
    """Return the cells usable for the reader that he never named and never was dealt.

    Whether he had to do with a case otherwise is for `classifier.policies.took_part` to say, case
    by case.
    """
    read = ReferenceReading.objects.filter(reader=reader, study=OuterRef("counted__study"))
    dealt = CheckCell.objects.filter(check_of__reader=reader, known=OuterRef("pk"))
    fresh = usable_for(reader).filter(~Exists(read), ~Exists(dealt))
    return fresh.exclude(Q(labelled__first_reader=reader) | Q(labelled__second_reader=reader))


def agreed_cells(study: ReferenceStudy) -> Iterator[tuple[StudyCell, str]]:
    """Give the cells of a completed count with what both blind readers, else the arbiter, said.

    Cells that nobody could name are left out.
    """
    both = blind_marks(study)
    if study.status != StudyStatus.COMPLETE or both is None:
        return
    first, second = both
    arbiter = study.readings.filter(seat=ReadingSeat.ARBITER, completed_at__isnull=False).first()
    judged = marks_of(arbiter) if arbiter else {}
    for each in study.cells.select_related("cell__image__case"):
        name, other = first[each.position], second[each.position]
        agreed = name if name == other else judged.get(each.position, "")
        if agreed not in ("", CellType.UNIDENTIFIED):
            yield each, agreed


def list_sources(user: "User") -> list[Source]:
    """Return what known cells may be taken from, the latest first."""
    studies = (
        ReferenceStudy.objects.visible_to(user)
        .filter(status=StudyStatus.COMPLETE)
        .exclude(case__patient__in=patients_left_out())
        .annotate(all=Count("cells", distinct=True), taken=Count("cells__known", distinct=True))
        .select_related("case")
    )
    sets = LabelledSet.objects.filter(kind=SetKind.GOLDEN, state=SetState.FROZEN).annotate(
        all=Count("cells", distinct=True), taken=Count("cells__known", distinct=True)
    )
    found = [
        Source("count", one.pk, f"Reference count {one.case.accession_number}", one.all, one.taken)
        for one in studies.order_by("-ended_at")
    ]
    found += [
        Source("set", one.pk, f"Labelled set {one}", one.all, one.taken)
        for one in sets.order_by("-frozen_at")
    ]
    return found


def count_by_class() -> list[tuple[str, int]]:
    """Return how many usable known cells of each class there are."""
    rows = usable_cells().order_by().values_list("cell_type").annotate(Count("pk"))
    counts = dict(rows)
    return [(name, counts[name]) for name in CellType.values if name in counts]
