"""The database itself refuses to change or remove what was recorded."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditEvent, AuditSeal, User
from tests.accounts.trail import seal, write_event


@pytest.fixture
def sealed_event(administrator: User) -> AuditEvent:
    event = write_event(administrator)
    assert seal()
    return event


def _run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("table", ["accounts_auditevent", "accounts_auditseal"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditevent SET reason = 'x'",
        "UPDATE accounts_auditevent SET reason = reason WHERE false",
        "DELETE FROM accounts_auditevent",
        "TRUNCATE accounts_auditevent CASCADE",
    ],
)
@pytest.mark.usefixtures("sealed_event")
def test_refuses(statement: str, table: str) -> None:
    column = "reason" if table == "accounts_auditevent" else "hash"
    statement = statement.replace("accounts_auditevent", table).replace("reason", column)
    with pytest.raises(IntegrityError, match="append-only"):
        _run(statement)


def test_refuses_through_the_models_too(sealed_event: AuditEvent) -> None:
    sealed_event.reason = "Changed my mind"
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        sealed_event.save()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditSeal.objects.all().delete()
