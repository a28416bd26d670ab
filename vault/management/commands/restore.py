"""Restore a backup from the command line."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from vault.copies import read_passphrase
from vault.exceptions import CopyFailed
from vault.services.restoring import Restored, restore

_EVERY = 500


class Command(BaseCommand):
    """Refuses a laboratory that is not empty; exits with 1 if what came out is not what went in."""

    help = "Put a backup into an empty laboratory and verify all of it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder that `backup` wrote to")
        parser.add_argument("--backup", default="", help="the id of one; else the newest")
        parser.add_argument(
            "--passphrase-file", type=Path, help="take the keys from the backup, too"
        )

    def handle(
        self, *args: Any, folder: Path, backup: str, passphrase_file: Path | None, **options: Any
    ) -> None:
        try:
            done = restore(
                folder,
                backup_id=backup,
                passphrase=read_passphrase(passphrase_file),
                progress=self._tell,
            )
        except (CopyFailed, OSError, DatabaseError) as problem:
            raise CommandError(f"Nothing to rely on was restored. {problem}") from problem
        self.stdout.write(
            f"Backup {done.id} of {done.made_at} is restored and verified:\n"
            f"  {done.tables} tables, {done.rows} rows: each table as it was copied\n"
            f"  {done.events} events of the audit trail: sound, up to the head that was copied\n"
            f"  {done.files} files: there and whole\n"
            "Run `manage.py migrate` if this release is newer than the backup."
        )
        if done.secret_key_changed:
            self.stdout.write("SECRET_KEY is the backup's: start all processes anew.")

    def _tell(self, done: Restored) -> None:
        if done.files % _EVERY == 0:
            self.stdout.write(f"{done.files} files ...")
