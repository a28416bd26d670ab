"""`manage.py import_labelled_set`: freeze cells of a folder as a set to judge models by."""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from classifier.exceptions import DomainError
from learning.enums import SetKind
from learning.services.golden import Picture, freeze_set, import_pictures, open_set
from ml.data.packed import list_labelled
from ml.data.records import Record
from ml.errors import MLError
from ml.sources import PBC, read_source


class Command(BaseCommand):
    """Opens a set, takes the pictures in and freezes it; the system does it for who runs this."""

    help = (
        "Freeze labelled cells: a folder of class folders, a folder with a catalogue, or the "
        "test fold of `pbc` below --data."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="of the set")
        parser.add_argument("folder", help="a folder, or `pbc`")
        parser.add_argument("--kind", choices=SetKind.values, default=SetKind.GOLDEN)
        parser.add_argument("--source", required=True, help="where the cells come from")
        parser.add_argument("--licence", required=True)
        parser.add_argument("--data", type=Path, help="the folder that holds pbc/")
        parser.add_argument("--seed", type=int, default=20260101, help="of the split of `pbc`")
        parser.add_argument("--most", type=int, help="at most so many cells of a class")

    def handle(self, *args: Any, name: str, folder: str, **options: Any) -> None:
        actor = User.system()
        try:
            records = _limited(_find(folder, options["data"], options["seed"]), options["most"])
            opened = open_set(
                name=name,
                kind=SetKind(options["kind"]),
                source=options["source"],
                licence=options["licence"],
                actor=actor,
            )
            import_pictures(set_id=opened.pk, pictures=_pictures(records), actor=actor)
            frozen = freeze_set(set_id=opened.pk, actor=actor)
        except (MLError, DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{frozen}: {frozen.cells.count()} cells, {frozen.digest}")


def _find(folder: str, data_dir: Path | None, seed: int) -> Sequence[Record]:
    if folder == PBC:
        if data_dir is None:
            raise CommandError("Say with --data where pbc/ lies.")
        return read_source(PBC, data_dir, seed=seed)["test"]
    return list_labelled(Path(folder))


def _limited(records: Sequence[Record], most: int | None) -> list[Record]:
    """The first so many of each class, by name."""
    ordered = sorted(records, key=lambda record: (record.label, record.key))
    groups = groupby(ordered, key=lambda record: record.label)
    return [record for _, members in groups for record in list(members)[:most]]


def _pictures(records: Sequence[Record]) -> Iterator[Picture]:
    for each in records:
        yield Picture(
            each.key, each.label, each.group or each.key, each.path.read_bytes(), each.box
        )
