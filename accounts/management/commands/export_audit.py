"""Write the whole audit trail into one file for verification elsewhere."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit
from accounts.anchoring.export import compressed, export_lines
from accounts.anchoring.keys import KeyRefused
from accounts.models import User


class Command(BaseCommand):
    """Exports entries, seals, anchors and public keys; `.gz` at the name's end compresses."""

    help = "Export the audit trail for tools/verify_audit_export.py."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        with transaction.atomic():
            audit.record(actor=User.system(), action="audit.exported_whole", target=None)
        is_packed = file.suffix == ".gz"
        try:
            with file.open("xb") as out:
                lines = export_lines()
                out.writelines(
                    compressed(lines) if is_packed else (line.encode() for line in lines)
                )
        except (OSError, KeyRefused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file}: {file.stat().st_size} bytes")
