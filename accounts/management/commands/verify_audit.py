"""Verify the audit trail from the command line."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.anchoring import checking
from accounts.chain import verify_chain


class Command(BaseCommand):
    """Recomputes the chain and checks the anchors; exits with 1 and says what is wrong."""

    help = "Recompute the hash chain of the audit trail and report any tampering."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--expect-head",
            metavar="HASH",
            help="a head noted earlier, which must still be in the chain",
        )

    def handle(self, *args: Any, expect_head: str | None, **options: Any) -> None:
        verdict = verify_chain(expected_head=expect_head)
        self.stdout.write(f"{verdict.count} events, head {verdict.head}")
        findings = [*verdict.findings, *checking.findings()]
        for finding in findings:
            self.stderr.write(finding)
        if findings:
            raise CommandError(f"The audit trail is NOT sound: {len(findings)} findings.")
        self.stdout.write("The audit trail is sound.")
