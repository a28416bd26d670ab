"""Bring all stored files under the current key from the command line."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vault import keys
from vault.services.rotation import Rotated, make_new_key, rotate

_EVERY = 500


class Command(BaseCommand):
    """May be stopped and run again at any time; the laboratory goes on working."""

    help = (
        "Wrap the keys of all stored files by the current key, and seal files from before files "
        "were sealed. Old keys stay in the key file: backups need them."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--new", action="store_true", help="make a new key first")

    def handle(self, *args: Any, new: bool, **options: Any) -> None:
        if new:
            self._make_key()
        done = rotate(progress=self._tell)
        key = keys.load_keyring().current
        self.stdout.write(
            f"{done.files} files: {done.rewrapped} wrapped anew, {done.sealed} sealed for the first"
            f" time. The current key is {key.name}."
        )
        if done.passed:
            raise CommandError(f"{done.passed} could not be; `manage.py check_vault` says why.")

    def _make_key(self) -> None:
        if not keys.are_in_file():
            raise CommandError(
                "Keys come from VAULT_KEYS: put the new one there, second at first, then first."
            )
        make_new_key()

    def _tell(self, done: Rotated) -> None:
        if done.files % _EVERY == 0:
            self.stdout.write(f"{done.files} files ...")
