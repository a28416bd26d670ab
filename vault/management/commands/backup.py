"""Make a backup from the command line."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from vault.copies import read_passphrase
from vault.exceptions import CopyFailed
from vault.services.backups import BackedUp, back_up

_EVERY = 500


class Command(BaseCommand):
    """Works beside the running laboratory; exits with 1 and a sentence if no backup was made."""

    help = "Copy database and files into a folder; files that it has already are not copied again."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="on another disk, better on another machine")
        parser.add_argument("--keep", type=_positive, help="remove all but so many newest backups")
        parser.add_argument(
            "--passphrase-file",
            type=Path,
            help="put the keys into the backup, wrapped by the passphrase in this file",
        )

    def handle(
        self,
        *args: Any,
        folder: Path,
        keep: int | None,
        passphrase_file: Path | None,
        **options: Any,
    ) -> None:
        try:
            words = read_passphrase(passphrase_file)
            done = back_up(folder, keep=keep, passphrase=words, progress=self._tell)
        except (CopyFailed, OSError, DatabaseError) as problem:
            raise CommandError(f"No backup was made. {problem}") from problem
        self.stdout.write(
            f"Backup {done.id}: the database and {done.files} files, {done.copied} of them copied "
            f"({done.bytes / 1e6:.1f} MB)."
        )
        if not passphrase_file:
            self.stdout.write("The keys are not in it: keep them safe elsewhere.")
        if done.gone:
            self.stderr.write(f"{done.gone} files were gone; `manage.py check_vault` names them.")
        if done.removed:
            self.stdout.write(f"{len(done.removed)} older backups were removed.")

    def _tell(self, done: BackedUp) -> None:
        if done.files % _EVERY == 0:
            self.stdout.write(f"{done.files} files ...")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
