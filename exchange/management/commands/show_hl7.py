"""Print the HL7 v2.5.1 message of an issued report, as it would be sent now."""

import re
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from exchange.validation import InvalidMessage, validate
from reports.exceptions import ReportTampered
from reports.hl7 import Envelope, Party, render_oru
from reports.hl7.encoding import SEGMENT_END
from reports.models import Report
from reports.services.reading import read_content, read_pdf, record_download

FILE_DATA = re.compile(r"(\^Base64\^.{12})[^|]*")


class Command(BaseCommand):
    """Shows a message to whoever sets up an interface; nothing is sent or stored."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("accession_number")
        parser.add_argument("--version-number", type=int, help="the latest unless given")
        parser.add_argument("--whole", action="store_true", help="with the PDF in full")

    def handle(self, *_args: Any, **options: Any) -> None:
        report = self._find(options["accession_number"], options["version_number"])
        text = self._render(report)
        record_download(report, actor=User.system(), form="hl7")
        if not options["whole"]:
            text = FILE_DATA.sub(r"\1...", text)
        self.stdout.write(text.replace(SEGMENT_END, "\n"), ending="")

    def _find(self, accession_number: str, version: int | None) -> Report:
        found = Report.objects.filter(case__accession_number=accession_number)
        if version is not None:
            found = found.filter(version=version)
        report = found.with_signatures().order_by("-version").first()
        if report is None:
            raise CommandError("There is no such report.")
        return report

    def _render(self, report: Report) -> str:
        system = User.system()
        envelope = Envelope(
            sender=Party("HEMATOVISION", "HVLAB"),
            receiver=Party("RECEIVER", "FACILITY"),
            control_id="SHOWN",
            written_at=datetime.now(UTC),
        )
        try:
            content = read_content(report, actor=system)
            text = render_oru(content, read_pdf(report, actor=system), envelope)
            validate(text)
        except (ReportTampered, InvalidMessage) as problem:
            raise CommandError(str(problem)) from problem
        return text
