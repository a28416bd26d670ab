"""The clinical work of `benchmarks.improvement`: cells of PBC, and a class that is misnamed."""

from collections import Counter
from pathlib import Path

from accounts.enums import Role
from benchmarks.loop_cases import (
    await_shadow,
    begin_with,
    cells_by_label,
    labels_by_name,
    name_cells,
    open_reviews,
    person,
    read_another,
    register_and_read,
    sign,
    tell,
    tell_standing,
    tell_tables,
)
from benchmarks.retraining import UNSEEN, WRONG, limited
from classifier.enums import CaseStatus
from classifier.models import Case, Cell
from classifier.services.reviews import amend
from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.data.records import Record
from ml.sources import PBC, read_source

MOST = 60
"""Cells of each class that are taught."""

NEW_CASE = 16


def begin(release: str) -> None:
    """The laboratory's people, and the release that it has in use."""
    begin_with(Path(release), "Its head never saw a basophil.")


def take_in(data: str) -> None:
    """Cases of PBC's validation fold, registered and read."""
    register_and_read(_dealt(data)[0])


def sign_misnamed(data: str) -> None:
    """Review and sign every case, with immature granulocytes named neutrophils."""
    named: Counter[str] = Counter()
    labels = labels_by_name(_dealt(data)[0])
    for case in open_reviews():
        for label, cells in cells_by_label(case, labels).items():
            name_cells(case, cells, WRONG.get(label, label))
            named[WRONG.get(label, label)] += len(cells)
        sign(case)
    tell(dict(named))


def set_right(data: str) -> None:
    """Amend every report whose cells were misnamed, as a pathologist who sees the error does."""
    amended = 0
    labels = labels_by_name(_dealt(data)[0])
    for case in Case.objects.filter(status=CaseStatus.SIGNED_OFF):
        found = cells_by_label(case, labels)
        wrong = {label: cells for label, cells in found.items() if label in WRONG}
        if not wrong:
            continue
        amend(
            case_id=case.pk,
            actor=person(Role.PATHOLOGIST),
            reason="Immature granulocytes were named neutrophils.",
        )
        for label, cells in wrong.items():
            name_cells(case, cells, label)
        sign(case)
        amended += 1
    tell({"amended": amended})


def new_case(data: str, number: int) -> None:
    """A case of cells that nobody was taught with, half of them of the class that was unseen."""
    _, rest = _dealt(data)
    unseen = [each for each in rest if each.label == UNSEEN]
    others = [each for each in rest if each.label != UNSEEN]
    half = NEW_CASE // 2
    start = number * half
    read_another(number, [*unseen[start : start + half], *others[start::97][:half]])


def standing() -> None:
    """Which version read which cases, and how many of their cells it named UNSEEN."""
    tell_standing(
        lambda case: Cell.objects.filter(image__case=case, predictions__cell_type=UNSEEN).count()
    )


def tables() -> None:
    """The tables of the latest candidate."""
    tell_tables()


def shadow_read(images: int) -> None:
    """Wait until the open trial has read what the version in use read since."""
    await_shadow(images)


def _dealt(data: str) -> tuple[list[Record], list[Record]]:
    """The cells that are taught, at most MOST a class, and the others of the same fold."""
    seed = read_spec(DEFAULT_RELEASE).training["seed"]
    fold = read_source(PBC, Path(data), seed=seed)["validation"]
    taught = limited(fold, MOST)
    keys = {each.key for each in taught}
    groups = {each.group for each in taught}
    rest = [each for each in fold if each.key not in keys and each.group not in groups]
    return taught, rest
