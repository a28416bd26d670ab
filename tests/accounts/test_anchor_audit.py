"""The audit trail is anchored once a day, signed with a key that is not in the database."""

import io
import json
import stat
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client

from accounts.anchoring import checking, outside
from accounts.anchoring.anchors import anchor_today
from accounts.anchoring.keys import KeyRefused, current_key, rotate_key
from accounts.anchoring.models import AnchorMail, AuditAnchor, AuditKey
from accounts.models import AuditEvent, User
from notifications.models import Notice
from tests.accounts.anchoring import MONDAY, key_file, pass_day
from tests.accounts.trail import seal, tamper

__all__ = ["key_file"]
pytestmark = pytest.mark.usefixtures("key_file")


def _forge(statement: str, *parameters: Any) -> None:
    for table in ("accounts_auditanchor", "accounts_auditkey"):
        tamper(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    tamper(statement, *parameters)


def test_an_anchor_states_the_head_and_is_signed(technician: User) -> None:
    anchor = pass_day(0, technician)
    assert anchor is not None
    stated = json.loads(anchor.payload)
    assert (stated["day"], stated["sequence"]) == ("2026-03-02", 2)
    assert stated["head"] == seal()[1].hash
    assert checking.findings() == []


def test_a_day_has_one_anchor(technician: User) -> None:
    pass_day(0, technician)
    assert pass_day(0, technician) is None
    assert AuditAnchor.objects.count() == 1


def test_an_anchor_is_itself_an_entry_of_the_trail(technician: User) -> None:
    anchor = pass_day(0, technician)
    event = AuditEvent.objects.get(action="audit.anchored")
    assert anchor is not None
    assert event.after == {"number": 1, "sequence": 2, "head": anchor.head}
    assert event.actor == User.system()


def test_a_broken_trail_is_not_signed_and_administrators_are_told_once(
    technician: User, administrator: User
) -> None:
    pass_day(0, technician)
    tamper("UPDATE accounts_auditseal SET hash = %s WHERE sequence = 2", "e" * 64)
    assert pass_day(1, technician) is None
    assert pass_day(1, technician) is None
    assert [event.action for event in AuditEvent.objects.filter(action__contains="refused")] == [
        "audit.anchor_refused"
    ]
    assert Notice.objects.filter(recipient=administrator).count() == 1


def test_the_key_is_made_once_for_its_owner_alone(key_file: Path, technician: User) -> None:
    pass_day(0, technician)
    made = key_file.read_bytes()
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    pass_day(1, technician)
    assert key_file.read_bytes() == made


def test_a_key_that_others_can_read_is_refused(key_file: Path, technician: User) -> None:
    pass_day(0, technician)
    key_file.chmod(0o644)
    with pytest.raises(KeyRefused, match="read by others"):
        current_key()


def test_a_lost_key_is_not_replaced_by_itself(key_file: Path, technician: User) -> None:
    pass_day(0, technician)
    key_file.unlink()
    assert pass_day(1, technician) is None
    assert "can't be read" in AuditEvent.objects.get(action="audit.anchor_refused").reason


def test_a_given_key_is_never_made_up(settings: Any, tmp_path_factory: Any, db: None) -> None:
    settings.AUDIT_KEY_FILE = tmp_path_factory.mktemp("elsewhere") / "key.pem"
    with pytest.raises(KeyRefused, match="can't be read"):
        current_key()


def test_a_foreign_key_signs_nothing(key_file: Path, technician: User) -> None:
    pass_day(0, technician)
    _put_key(key_file)
    assert pass_day(1, technician) is None
    reason = AuditEvent.objects.get(action="audit.anchor_refused").reason
    assert "not the laboratory's audit key 1" in reason


def test_a_new_key_is_signed_by_the_one_before(key_file: Path, technician: User) -> None:
    pass_day(0, technician)
    out = io.StringIO()
    call_command("rotate_audit_key", stdout=out)
    newest = AuditKey.objects.get(number=2)
    assert newest.fingerprint in out.getvalue()
    anchor = pass_day(1, technician)
    assert anchor is not None
    assert anchor.key_id == 2
    assert len(checking.check_keys()) == 2
    assert checking.findings() == []
    assert AuditEvent.objects.filter(action="audit.key_rotated").count() == 1


def test_a_new_key_can_be_given(
    key_file: Path, technician: User, tmp_path: Path, settings: Any
) -> None:
    pass_day(0, technician)
    given = tmp_path / "next.pem"
    _put_key(given)
    rotate_key(actor=technician, given=given)
    with pytest.raises(KeyRefused):
        current_key()
    settings.AUDIT_KEY_FILE = given
    assert pass_day(1, technician) is not None
    with pytest.raises(CommandError, match="in use already"):
        call_command("rotate_audit_key", given=given)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE accounts_auditanchor SET head = repeat('a', 64) WHERE number = 1", "not what was"),
        ("UPDATE accounts_auditanchor SET signature = repeat('a', 128)", "is not the laboratory"),
        ("DELETE FROM accounts_auditanchor WHERE number = 1", "does not continue"),
        ("UPDATE accounts_auditkey SET signature = repeat('a', 128)", "is not the laboratory"),
        ("DELETE FROM accounts_auditseal WHERE sequence > 3", "is not what was anchored"),
    ],
)
def test_finds_what_an_owner_of_the_database_did(
    technician: User, statement: str, found: str
) -> None:
    pass_day(0, technician)
    pass_day(1, technician)
    _forge(statement)
    assert found in " ".join(checking.findings())
    with pytest.raises(CommandError, match="NOT sound"):
        call_command("verify_audit", stdout=io.StringIO(), stderr=io.StringIO())


@pytest.mark.parametrize("table", ["auditanchor", "auditkey"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET signature = ''", "DELETE FROM {}"])
def test_anchors_and_keys_are_append_only(technician: User, table: str, statement: str) -> None:
    pass_day(0, technician)
    from django.db import connection

    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(f"accounts_{table}"))


def test_copies_go_to_a_folder_and_are_compared(
    technician: User, settings: Any, tmp_path: Path
) -> None:
    anchor = pass_day(0, technician)
    assert anchor is not None
    assert outside.compare(anchor) == outside.Copy.UNUSED
    settings.AUDIT_ANCHOR_DIR = tmp_path / "outside"
    assert outside.compare(anchor) == outside.Copy.MISSING
    outside.carry_out()
    outside.carry_out()
    assert outside.compare(anchor) == outside.Copy.SAME
    (path,) = (tmp_path / "outside").iterdir()
    path.write_text("{}")
    outside.carry_out()
    assert outside.compare(anchor) == outside.Copy.DIFFERS
    assert checking.findings() == ["Anchor 1 of 2026-03-02: its copy outside is another."]


def test_copies_are_mailed_once(technician: User, settings: Any) -> None:
    settings.MAIL_IS_CONFIGURED = True
    settings.AUDIT_ANCHOR_MAIL = ["auditor@outside.example"]
    anchor = pass_day(0, technician)
    outside.carry_out()
    outside.carry_out()
    assert anchor is not None
    assert [message.to for message in mail.outbox] == [["auditor@outside.example"]]
    assert outside.text_of(anchor) in mail.outbox[0].body
    assert AnchorMail.objects.count() == 1


def test_days_without_anchor_are_named() -> None:
    monday = date(2026, 3, 2)
    held = [monday, monday + timedelta(days=2)]
    missing = checking.missing_days(held, until=date(2026, 3, 6))
    assert [day.isoformat() for day in missing] == ["2026-03-03", "2026-03-05"]
    assert checking.missing_days([]) == []


def test_the_page_shows_anchors_gaps_and_faults(
    client_for: Callable[[User], Client], administrator: User, django_assert_max_num_queries: Any
) -> None:
    for day in (0, 1, 3):
        pass_day(day, administrator)
    with time_machine.travel(MONDAY + timedelta(days=3), tick=False):
        client = client_for(administrator)
        client.get("/administration/audit/anchors/")
        with django_assert_max_num_queries(16):
            page = client.get("/administration/audit/anchors/").content.decode()
        assert "No anchor on Wednesday" in page
        assert "1 day without anchor" in page
        seal()
        _forge("UPDATE accounts_auditanchor SET head = repeat('a', 64) WHERE number = 2")
        page = client.get("/administration/audit/anchors/").content.decode()
    assert "An anchor does not hold" in page


def test_anchors_by_command(technician: User) -> None:
    out = io.StringIO()
    call_command("anchor_audit", stdout=out)
    assert "Signed by key 1" in out.getvalue()
    assert anchor_today() is None


def _put_key(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
