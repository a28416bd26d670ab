"""`manage.py import_reference_cells`: fill the reference library from folders of pictures."""

import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from classifier.services.reference_embeddings import embed_reference_cells
from classifier.services.reference_imports import Provenance, import_folder

LONGEST = 200


class Command(BaseCommand):
    """Takes what is new; exit status 1 if any picture was refused."""

    help = (
        "Import single-cell pictures into the reference library. FOLDER holds one folder for each "
        "class, named by the class or a usual abbreviation (Neutrophil, NEU, blast). Safe to "
        "repeat: a picture that was imported before is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--source", required=True, help="where the pictures come from")
        parser.add_argument("--licence", required=True, help="the terms that allow to show them")

    def handle(self, *args: Any, folder: Path, source: str, licence: str, **options: Any) -> None:
        provenance = Provenance(source.strip(), licence.strip())
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        if not all(0 < len(text) <= LONGEST for text in (provenance.source, provenance.licence)):
            raise CommandError(f"Give source and licence, each up to {LONGEST} characters.")
        counts: Counter[str] = Counter()
        for each in import_folder(folder, provenance=provenance, actor=User.system()):
            counts[each.outcome] += 1
            if each.reason:
                self.stderr.write(f"{each.path.relative_to(folder)}: {each.reason}")
        embedded = embed_reference_cells()
        self.stdout.write(
            f"{counts['added']} added, {counts['known']} known already, "
            f"{counts['refused']} refused; {embedded} embedded."
        )
        if counts["refused"]:
            sys.exit(1)
