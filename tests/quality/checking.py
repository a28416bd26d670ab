"""Known cells of read counts and imported sets, and checks dealt of them."""

import uuid
from collections.abc import Sequence

import pytest

from accounts.models import User
from classifier.models import ReferenceStudy
from learning.enums import SetKind
from learning.models import LabelledSet
from learning.services import golden
from quality.models import ReaderCheck
from quality.selectors.reader_checks import Rules, cells_to_read
from quality.services import known_cells, reader_checks
from tests.clinical import picture_bytes
from tests.quality.readings import MakeManyCells, count_blind

TRUTH = ["neutrophil"] * 8 + ["lymphocyte"] * 3 + ["unidentified"]
SECOND = ["neutrophil"] * 7 + ["monocyte"] + ["lymphocyte"] * 3 + ["unidentified"]
DECIDED = ["neutrophil"] * 7 + ["blast"] + ["lymphocyte"] * 3 + ["unidentified"]
"""Eleven cells have an agreed class: ten that both call so, and a blast that the arbiter saw."""


@pytest.fixture
def count(case_of: MakeManyCells, people: list[User], administrator: User) -> ReferenceStudy:
    """A completed reference count of twelve cells, by the first three people."""
    anna, ben, cleo, _ = people
    case = case_of(["neutrophil"] * 12)
    return count_blind(case, administrator, [(anna, TRUTH), (ben, SECOND), (cleo, DECIDED)])


@pytest.fixture
def known(count: ReferenceStudy, administrator: User) -> ReferenceStudy:
    """The count, its agreed cells being known, and rules for checks of ten cells."""
    known_cells.take_count(actor=administrator, study_id=count.pk)
    set_rules(administrator)
    return count


def set_rules(
    actor: User, *, every_days: int | None = None, least_percent: int | None = None
) -> None:
    """Have checks hold ten cells."""
    rules = Rules(every_days=every_days, cells=10, due_days=14, least_percent=least_percent)
    reader_checks.set_rules(actor=actor, rules=rules, reason="As the quality manual says.")


def golden_set(actor: User, names: Sequence[str], *, name: str = "Atlas") -> LabelledSet:
    """A frozen golden set of pictures from outside."""
    opened = golden.open_set(
        name=name, kind=SetKind.GOLDEN, source="An atlas", licence="CC BY 4.0", actor=actor
    )
    pictures = [
        golden.Picture(
            f"{name}/{number}", cell_type, f"slide {number}", picture_bytes(900 + number)
        )
        for number, cell_type in enumerate(names)
    ]
    golden.import_pictures(set_id=opened.pk, pictures=pictures, actor=actor)
    return golden.freeze_set(set_id=opened.pk, actor=actor)


def name_all(check: ReaderCheck, reader: User, *, wrong: int = 0) -> ReaderCheck:
    """Name every cell as agreed, but so many of them as artefacts, and complete the check."""
    for place, cell in enumerate(cells_to_read(check).select_related("known")):
        name_one(
            check, reader, cell.position, "artefact" if place < wrong else cell.known.cell_type
        )
    return reader_checks.complete(check_id=check.pk, actor=reader)


def name_one(check: ReaderCheck, reader: User, position: int, name: str) -> None:
    """Name one cell."""
    reader_checks.name_cell(
        check_id=check.pk, actor=reader, position=position, cell_type=name, action_id=uuid.uuid4()
    )
