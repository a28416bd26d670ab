"""`manage.py seed_demo`: fill an empty database with a demonstration laboratory."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.exceptions import DomainError
from classifier.models import Laboratory
from demo.laboratory import is_empty, seed
from demo.people import PASSWORD, STAFF


class Command(BaseCommand):
    """Seeds once; a database that is in use is left alone."""

    help = "Fill an empty database with a demonstration laboratory and print its accounts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--images", type=Path, help="folder of your own pictures to use instead of drawn ones"
        )

    def handle(self, *args: Any, images: Path | None = None, **options: Any) -> None:
        if images and not images.is_dir():
            raise CommandError(f"There is no folder {images}.")
        if is_empty():
            self._seed(images)
        elif images:
            self.stderr.write("The laboratory is in use already; IMAGES was not added to it.")
        if Laboratory.current().is_demo:
            self._print_accounts()

    def _seed(self, images: Path | None) -> None:
        try:
            seed(images=images, report=self.stderr.write)
        except DomainError as problem:
            raise CommandError(
                f"The demonstration laboratory can't be made: {problem}"
            ) from problem

    def _print_accounts(self) -> None:
        self.stdout.write("Demonstration accounts (password for all: " + PASSWORD + ")")
        for member in STAFF:
            self.stdout.write(f"  {member.role:<14} {member.email}")
