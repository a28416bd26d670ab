"""Follow the audit's key by a new one, from the command line."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.anchoring.keys import KeyRefused, rotate_key
from accounts.models import User


class Command(BaseCommand):
    """Makes or takes the new key, and prints the fingerprint to note outside."""

    help = "Change the key that signs anchors of the audit trail; the current key signs the new."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--given", type=Path, help="a new key in a PEM file, instead of one")

    def handle(self, *args: Any, given: Path | None, **options: Any) -> None:
        try:
            key = rotate_key(actor=User.system(), given=given)
        except KeyRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Audit key {key.number}, fingerprint {key.fingerprint}")
        if given:
            self.stdout.write(f"Now set AUDIT_KEY_FILE to {given}.")
