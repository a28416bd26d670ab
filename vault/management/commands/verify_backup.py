"""Verify a backup from the command line."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vault.copies import Copies
from vault.exceptions import CopyFailed
from vault.services.proving import Proved, prove

_EVERY = 500


class Command(BaseCommand):
    """Exits with 1 and names what is missing or damaged, if anything is."""

    help = "Read a backup to its end and compare everything in it with what was copied."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder that `backup` wrote to")
        parser.add_argument("--backup", default="", help="the id of one; else the newest")

    def handle(self, *args: Any, folder: Path, backup: str, **options: Any) -> None:
        wanted = backup or (Copies(folder).ids() or [""])[-1]
        try:
            done = prove(folder, wanted, progress=self._tell)
        except (CopyFailed, OSError) as problem:
            raise CommandError(f"Nothing was verified. {problem}") from problem
        self.stdout.write(f"{done.files} files read, {done.bytes / 1e6:.1f} MB.")
        if not done.is_sound:
            for name in done.damaged:
                self.stderr.write(f"  {name}")
            raise CommandError(f"Backup {done.id} is NOT whole.")
        self.stdout.write(f"Backup {done.id} is whole.")

    def _tell(self, done: Proved) -> None:
        if done.files % _EVERY == 0:
            self.stdout.write(f"{done.files} files ...")
