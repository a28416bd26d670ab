"""show_hl7 prints the message of a report, and the trail says so."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from classifier.models import Case
from tests.reports.conftest import Sign, ready_case, sign

__all__ = ["ready_case", "sign"]


def test_the_message_of_a_report_is_printed(ready_case: Case, sign: Sign) -> None:
    report = sign(ready_case)
    out = io.StringIO()
    call_command("show_hl7", ready_case.accession_number, stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("MSH|^~\\&|HEMATOVISION|")
    assert any("^AP^PDF^Base64^" in line and line.find("...") > 0 for line in lines)
    event = AuditEvent.objects.get(action="report.downloaded")
    assert event.target_id == str(report.pk)
    assert event.after == {"form": "hl7", "version": report.version}


def test_a_report_that_is_not_there_is_told(db: None) -> None:
    with pytest.raises(CommandError, match="no such report"):
        call_command("show_hl7", "HV26-999999")
