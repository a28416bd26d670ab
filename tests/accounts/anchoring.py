"""What tests of anchors share: days that pass, keys of their own, an export's lines."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from accounts.anchoring.anchors import anchor_today
from accounts.anchoring.export import export_lines
from accounts.anchoring.models import AuditAnchor
from accounts.models import User
from tests.accounts.trail import seal, write_event

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def key_file(settings: Any, tmp_path: Path) -> Path:
    """Keep the audit key in a folder of the test."""
    settings.VAR_DIR = tmp_path
    settings.AUDIT_KEY_FILE = tmp_path / "audit" / "key.pem"
    return tmp_path / "audit" / "key.pem"


def pass_day(number: int, actor: User) -> AuditAnchor | None:
    """Let two entries be written and the trail be anchored, on a day after Monday."""
    with time_machine.travel(MONDAY + timedelta(days=number), tick=False):
        write_event(actor, after={"day": number}, reason="Näme, \u2028 and “quotes”")
        write_event(actor, before={"a": 1}, after={"a": number})
        seal()
        anchor = anchor_today()
        seal()
    return anchor


def exported() -> list[str]:
    """Return the export's lines; only a line feed ends one."""
    return [f"{line}\n" for line in "".join(export_lines()).split("\n")[:-1]]
