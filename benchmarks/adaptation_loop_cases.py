"""The clinical work of `benchmarks.adaptation_loop`: cells in folders, named as these list them."""

from collections import Counter
from pathlib import Path

from benchmarks.loop_cases import (
    await_shadow,
    begin_with,
    cells_by_label,
    labels_by_name,
    name_cells,
    open_reviews,
    read_another,
    register_and_read,
    sign,
    tell,
    tell_standing,
    tell_tables,
)
from classifier.models import Case, Cell
from ml.data.catalogue import read_catalogue, to_records
from ml.data.records import Record

NEW_CASES = 3


def begin(room: str) -> None:
    """The laboratory's people, and the release that it has in use."""
    begin_with(Path(room) / "release", "It never saw this laboratory.")


def take_in(room: str) -> None:
    """Cases of the cells that are to be learned from, registered and read."""
    register_and_read(_records(room, "taught"))


def sign_all(room: str) -> None:
    """Review every case, name each cell what it is, and sign."""
    named: Counter[str] = Counter()
    labels = labels_by_name(_records(room, "taught"))
    for case in open_reviews():
        for label, cells in cells_by_label(case, labels).items():
            name_cells(case, cells, label)
            named[label] += len(cells)
        sign(case)
    tell(dict(named))


def new_case(room: str, number: int) -> None:
    """A case of cells that nobody was taught with."""
    read_another(number, _records(room, "new")[number::NEW_CASES])


def standing(room: str) -> None:
    """Which version read which cases, and how many of their cells it named rightly."""
    labels = labels_by_name([*_records(room, "taught"), *_records(room, "new")])

    def count_right(case: Case) -> int:
        return sum(
            Cell.objects.filter(
                pk__in=[cell.pk for cell in cells], predictions__cell_type=label
            ).count()
            for label, cells in cells_by_label(case, labels).items()
        )

    tell_standing(count_right)


def tables() -> None:
    """The tables of the latest candidate."""
    tell_tables()


def shadow_read(images: int) -> None:
    """Wait until the open trial has read what the version in use read since."""
    await_shadow(images)


def _records(room: str, part: str) -> list[Record]:
    folder = Path(room) / part
    return list(to_records(folder, read_catalogue(folder)))
