"""Check every stored file from the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vault.services.checking import MEANINGS, MOST_NAMED, Checked, check_files

_EVERY = 500


class Command(BaseCommand):
    """Exits with 1 and says which files are missing or damaged, if any are."""

    help = "Read every stored file, verify it, and compare it with the database."

    def handle(self, *args: Any, **options: Any) -> None:
        checked = check_files(progress=self._tell)
        self.stdout.write(f"{checked.files} files read, {checked.bytes / 1e6:.1f} MB.")
        if checked.disposed:
            self.stdout.write(f"{checked.disposed} files were disposed of; their rows are kept.")
        for kind, names in checked.found.items():
            self.stderr.write(f"{len(names)} {kind}: {MEANINGS[kind]}")
            for name in names[:MOST_NAMED]:
                self.stderr.write(f"  {name}")
        if not checked.is_sound:
            raise CommandError("The stored files are NOT sound.")
        self.stdout.write("All stored files are there and whole.")

    def _tell(self, checked: Checked) -> None:
        if checked.files % _EVERY == 0:
            self.stdout.write(f"{checked.files} files ...")
