"""Anchor the audit trail from the command line, as the schedule does."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.anchoring import anchors, outside
from accounts.anchoring.models import AuditAnchor


class Command(BaseCommand):
    """Writes the day's anchor unless there is one, and prints the newest."""

    help = "Anchor the audit trail unless the day has its anchor, and bring anchors outside."

    def handle(self, *args: Any, **options: Any) -> None:
        anchors.anchor_today()
        outside.carry_out()
        newest = AuditAnchor.objects.select_related("key").first()
        if newest is None:
            self.stdout.write("No anchor: see the audit trail for the reason.")
            return
        self.stdout.write(f"{newest.day}: entry {newest.sequence}, head {newest.head}")
        self.stdout.write(f"Signed by key {newest.key.number}, {newest.key.fingerprint}")
