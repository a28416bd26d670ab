"""Classify cells and fields, or folders of them, without web, worker or database."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from classifier.command_line.cells import Line
from classifier.command_line.differential import Tally
from classifier.command_line.files import ImageFile, KindOption, find_images
from classifier.command_line.output import as_json, as_text, differential_as_text
from classifier.command_line.reading import read_all
from classifier.inference import get_classifier
from ml.errors import ArtifactError


class Command(BaseCommand):
    """Print one line an image; exit status 1 if any image failed, 2 if a release is refused."""

    help = (
        "Classify images of blood cells and fields of smears; folders are searched for images. "
        "The fields that lie in one folder are taken for one case: a white cell that two of them "
        "show is counted once, and their lines come when the folder is done."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument(
            "--kind",
            choices=("cell", "field", "auto"),
            default="auto",
            help="what every picture shows: one cell or a field; guessed by default",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument(
            "--differential",
            action="store_true",
            help="then the differential: one for each folder named, with all below it, "
            "and one for all files named themselves",
        )

    def handle(
        self, *args: Any, paths: list[Path], kind: KindOption, json: bool, **options: Any
    ) -> None:
        files = list(find_images(paths))
        show = as_json if json else as_text
        has_failed = False
        try:
            tallies = make_tallies(files) if options["differential"] else {}
            for file, line in read_with_progress(files, kind):
                self.stdout.write(show(line))
                self.stdout.flush()
                has_failed |= "error" in line
                if tallies:
                    tallies[file.named].add(line)
        except ArtifactError as error:
            raise CommandError(str(error), returncode=2) from error
        for tally in tallies.values():
            found = tally.as_dict()
            self.stdout.write(
                as_json({"differential": found}) if json else differential_as_text(found)
            )
        if has_failed:
            sys.exit(1)


def read_with_progress(
    files: Sequence[ImageFile], kind: KindOption
) -> Iterator[tuple[ImageFile, Line]]:
    """Read all files, with a bar where a person watches."""
    with tqdm(total=len(files), unit="image", disable=not sys.stderr.isatty()) as bar:
        yield from read_all(files, kind, bar.update)


def make_tallies(files: Iterable[ImageFile]) -> dict[Path | None, Tally]:
    """One for each folder named, in order, and one for all files named themselves."""
    classes = get_classifier().class_names
    return {named: Tally(named, classes) for named in dict.fromkeys(f.named for f in files)}
