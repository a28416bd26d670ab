"""Training sets for pages: what they hold, who disagrees, and what was made of them."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from accounts.models import User
from classifier.care import hidden_patients
from classifier.models import Case
from learning import policies
from learning.enums import LeftOut, Method, TrainingState, Voice
from learning.models import BasisOfUse, PatientObjection, Retraining, TrainingCell, TrainingSet
from learning.selectors.registry import version_in_use
from learning.services.consent import basis_in_force
from learning.services.enough import refusal_of
from ml.classes import CELL_CLASSES

SHOWN = 100
LARGE_SET = 1000
"""Cells from which on retraining is put forward: as many as a release keeps to learn from again, so
that the laboratory's cells and the kept ones, which count alike, are as many too."""


@dataclass(frozen=True, slots=True)
class Disputed:
    """A cell that somebody calls something else, and who calls it what."""

    cell: TrainingCell
    case: Case | None
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TrainingPage:
    """A set: cells by class, those left out by reason, disagreements, and what was made of it.

    ``pairs`` count disagreements by who, signed class and other class. ``disputed`` are the first
    of them; a case is named only to who may open it.
    """

    training_set: TrainingSet
    classes: Sequence[tuple[str, int, int, bool]]
    total: int
    left_out: Sequence[tuple[str, int]]
    pairs: Sequence[tuple[str, str, str, int]]
    disputed: Sequence[Disputed]
    disputed_total: int
    retrainings: Sequence[Retraining]

    @property
    def is_moving(self) -> bool:
        """True while workers are at it, so that the page asks again."""
        at_work = any(each.is_open or (each.version and not each.is_judged)
                      for each in self.retrainings)  # fmt: skip
        return at_work or self.training_set.state == TrainingState.GATHERING


@dataclass(frozen=True, slots=True)
class Way:
    """A way of training from a set: whether it is put forward, or why it can't be taken."""

    method: Method
    is_proposed: bool
    refusal: str


@dataclass(frozen=True, slots=True)
class TrainingIndex:
    """All sets, the versions of the basis of use, and the objections in force."""

    sets: Sequence[TrainingSet]
    bases: Sequence[tuple[BasisOfUse, bool]]
    in_force: BasisOfUse | None
    objections: Sequence[PatientObjection]


def list_training(user: User) -> TrainingIndex:
    """Return what is on the page of training sets; whom objections name is for managers alone."""
    _check(user)
    sets = TrainingSet.objects.annotate(
        cell_count=Count("cells", filter=Q(cells__left_out="")),
        patient_count=Count("cells__patient", filter=Q(cells__left_out=""), distinct=True),
    )
    objections: QuerySet[PatientObjection] = PatientObjection.objects.none()
    if policies.can_manage_models(user):
        objections = PatientObjection.objects.filter(ended_at=None)
    bases = BasisOfUse.objects.select_related("proposed_by", "approved_by")
    return TrainingIndex(
        sets=list(sets.select_related("created_by")),
        bases=[(each, policies.can_approve_basis(user, each)) for each in bases],
        in_force=basis_in_force(),
        objections=list(objections.select_related("patient", "recorded_by")),
    )


def get_training_set(user: User, pk: uuid.UUID) -> TrainingPage:
    """Return a set, or raise Http404."""
    _check(user)
    found = TrainingSet.objects.filter(pk=pk).select_related("basis", "created_by", "frozen_by")
    training_set = found.first()
    if training_set is None:
        raise Http404
    cells = training_set.cells.filter(left_out="")
    disputed = training_set.cells.exclude(other_names=[])
    patients = Count("patient", distinct=True)
    counts = cells.order_by().values_list("cell_type").annotate(Count("pk"), patients)
    return TrainingPage(
        training_set=training_set,
        classes=[
            (*row, row[0] in CELL_CLASSES) for row in sorted(counts, key=lambda row: -row[1])
        ],
        total=cells.count(),
        left_out=_left_out(training_set),
        pairs=_pairs(disputed),
        disputed=_disputed(user, disputed),
        disputed_total=disputed.count(),
        retrainings=list(
            training_set.retrainings.select_related("base", "version", "asked_by")
            .prefetch_related("version__comparisons__evaluation__labelled_set")
        ),
    )  # fmt: skip


def list_ways(training_set: TrainingSet) -> list[Way]:
    """Return the ways of training from a frozen set; none while it is open or nothing is in use."""
    base = version_in_use()
    if training_set.state != TrainingState.FROZEN or base is None:
        return []
    is_large = training_set.cells.filter(left_out="").count() >= LARGE_SET
    first = Method.RETRAIN if is_large else Method.ADAPT
    refusals = {method: refusal_of(method, training_set, base) for method in Method}
    proposed = next((each for each in (first, *Method) if not refusals[each]), None)
    return [Way(each, each == proposed, refusal) for each, refusal in refusals.items()]


def get_retraining(user: User, pk: uuid.UUID) -> Retraining:
    """Return a training of a candidate, or raise Http404."""
    _check(user)
    found = Retraining.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def get_training_cell(user: User, pk: int) -> TrainingCell:
    """Return a cell of a set, or raise Http404; none of a record that is closed to the user."""
    _check(user)
    cells = TrainingCell.objects.exclude(cell__image__case__patient__in=hidden_patients(user))
    found = cells.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _check(user: User) -> None:
    if not policies.can_read_registry(user):
        raise Http404


def _left_out(training_set: TrainingSet) -> list[tuple[str, int]]:
    counts = Counter({LeftOut(name).label: count for name, count in training_set.counts.items()})
    by_hand = training_set.cells.exclude(left_out="").count()
    if by_hand:
        counts[LeftOut.BY_HAND.label] += by_hand
    return [(str(name), count) for name, count in counts.most_common()]


def _pairs(disputed: "QuerySet[TrainingCell]") -> list[tuple[str, str, str, int]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for signed, others in disputed.values_list("cell_type", "other_names"):
        counts.update((str(Voice(voice).label), signed, name) for voice, name in others)
    return [(*key, count) for key, count in counts.most_common()]


def _disputed(user: User, cells: "QuerySet[TrainingCell]") -> list[Disputed]:
    open_to = cells.exclude(cell__image__case__patient__in=hidden_patients(user))
    shown = list(open_to.select_related("cell__image__case", "named_by", "left_out_by")[:SHOWN])
    cases = Case.objects.visible_to(user).filter(pk__in={each.cell.image.case_id for each in shown})
    visible = {case.pk: case for case in cases}
    return [
        Disputed(
            cell=each,
            case=visible.get(each.cell.image.case_id),
            others=tuple((str(Voice(voice).label), name) for voice, name in each.other_names),
        )
        for each in shown
    ]
