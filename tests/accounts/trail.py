"""What tests of the audit trail share: writing events, sealing and tampering."""

from typing import Any

from django.db import connection, transaction

from accounts import audit
from accounts.models import AuditEvent, AuditSeal, User

_TABLES = ("accounts_auditevent", "accounts_auditseal")


def write_event(actor: User, **values: Any) -> AuditEvent:
    """Write one event about its own actor."""
    with transaction.atomic():
        return audit.record(**{"actor": actor, "action": "user.changed", "target": actor, **values})


def seal() -> list[AuditSeal]:
    """Fire the deferred triggers now, as a commit would, and return all seals in order."""
    connection.check_constraints()
    return list(AuditSeal.objects.order_by("sequence"))


def tamper(statement: str, *parameters: Any) -> None:
    """Run a statement as the tables' owner, who has switched their rules off."""
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for constraint in _foreign_keys(table):
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"')
        cursor.execute(statement, parameters)
        # Others point here too; tables can't be altered while such checks wait.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _foreign_keys(table: str) -> list[str]:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
    return [name for name, facts in constraints.items() if facts["foreign_key"]]
