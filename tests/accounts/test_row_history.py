"""Row history: every change of a followed row is seen, raw SQL included, and explained or told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.history import explaining
from accounts.history.following import FOLLOWED, install_triggers, switched_off
from accounts.history.models import RowChange
from accounts.models import AuditEvent, User
from accounts.tasks import check_row_history
from notifications.models import Notice
from tests.accounts.trail import seal

committed = pytest.mark.django_db(transaction=True)


def _run(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _last() -> RowChange:
    change = RowChange.objects.first()
    assert change is not None
    return change


def _unexplained() -> list[str]:
    later = timezone.now() + 2 * explaining.SETTLED_AFTER
    with time_machine.travel(later):
        return [f"{one.operation} {one.table_name}" for one in explaining.unexplained()]


def test_raw_sql_is_seen_with_what_changed_and_nothing_else(technician: User) -> None:
    _run("UPDATE accounts_user SET full_name = 'Eve' WHERE id = %s", technician.pk)
    change = _last()
    assert (change.table_name, change.row_id) == ("accounts_user", str(technician.pk))
    assert (change.before, change.after) == (
        {"full_name": "Tess Technician"},
        {"full_name": "Eve"},
    )
    assert change.database_user


def test_bulk_updates_give_a_change_for_each_row(technician: User, pathologist: User) -> None:
    RowChange.objects.count()
    before = RowChange.objects.filter(operation="update").count()
    User.objects.filter(pk__in=[technician.pk, pathologist.pk]).update(title="PhD")
    assert RowChange.objects.filter(operation="update").count() == before + 2


def test_what_did_not_change_is_no_change(technician: User) -> None:
    before = RowChange.objects.filter(operation="update").count()
    User.objects.filter(pk=technician.pk).update(title=technician.title)
    User.objects.filter(pk=technician.pk).update(last_login=timezone.now())
    assert RowChange.objects.filter(operation="update").count() == before


def test_a_password_is_seen_to_change_but_not_kept(technician: User) -> None:
    _run("UPDATE accounts_user SET password = 'stolen' WHERE id = %s", technician.pk)
    change = _last()
    assert change.after is not None
    assert list(change.after) == ["password"]
    assert "stolen" not in str(change.after)
    assert len(change.after["password"]) == 12


def test_removed_rows_are_kept_whole(technician: User) -> None:
    _run("DELETE FROM accounts_user_groups WHERE user_id = %s", technician.pk)
    change = _last()
    assert change.operation == "delete"
    assert change.before is not None
    assert change.before["user_id"] == technician.pk


def test_a_trigger_that_a_replica_would_pass_by_counts_as_switched_off(db: None) -> None:
    assert switched_off() == []
    _run("ALTER TABLE classifier_specimen ENABLE TRIGGER USER")
    assert switched_off() == ["classifier_specimen"]


@pytest.mark.parametrize("statement", ["UPDATE {} SET row_id = ''", "DELETE FROM {}"])
def test_the_history_is_append_only(technician: User, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        _run(statement.format("accounts_rowchange"))


@committed
def test_a_change_by_the_application_finds_its_audit_event(
    administrator: User, technician: User
) -> None:
    services.change_details(actor=administrator, user=technician, full_name="Tess Tuned", title="")
    (happening, *_) = explaining.history_of(
        "accounts_user", str(technician.pk), label="accounts.user"
    )
    assert [entry.event.action for entry in happening.entries] == ["user.changed"]
    assert [change.name for change in happening.columns] == ["full name"]
    assert not happening.is_outside


@committed
def test_a_change_outside_is_reported_once_and_administrators_are_told(
    administrator: User, technician: User
) -> None:
    RowChange.objects.count()
    with time_machine.travel(timezone.now() + 2 * explaining.SETTLED_AFTER):
        explaining.report_unexplained()
    _run("UPDATE accounts_user SET full_name = 'Eve' WHERE id = %s", technician.pk)
    assert _unexplained()[0] == "update accounts_user"
    Notice.objects.all().delete()
    with time_machine.travel(timezone.now() + 2 * explaining.SETTLED_AFTER):
        check_row_history()
        check_row_history()
    told = AuditEvent.objects.filter(action=explaining.UNEXPLAINED).order_by("-at").first()
    assert told is not None
    assert told.after is not None
    assert (told.after["changes"], told.after["of"]) == (1, {"user": 1})
    assert Notice.objects.filter(recipient=administrator).count() == 1


@committed
def test_a_fresh_change_is_not_called_unexplained_yet(technician: User) -> None:
    _run("UPDATE accounts_user SET full_name = 'Eve' WHERE id = %s", technician.pk)
    assert not explaining.unexplained().filter(at__gte=timezone.now() - timedelta(minutes=1))


def test_every_followed_table_has_its_triggers(db: None) -> None:
    assert {"accounts_user", "classifier_case", "classifier_cell", "reports_report"} <= set(
        FOLLOWED
    )
    assert switched_off() == []


def test_a_history_switched_off_is_told(administrator: User) -> None:
    _run("ALTER TABLE classifier_patient DISABLE TRIGGER USER")
    assert switched_off() == ["classifier_patient"]
    explaining.report_unexplained()
    event = AuditEvent.objects.get(action=explaining.SWITCHED_OFF)
    assert event.after == {"tables": ["classifier_patient"]}


def test_a_trigger_that_was_dropped_comes_back_with_the_next_migrate(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'classifier_case'::regclass"
            " AND tgname LIKE 'row_history_update%%'"
        )
        (name,) = cursor.fetchone()
        cursor.execute(f'DROP TRIGGER "{name}" ON classifier_case')
    assert switched_off() == ["classifier_case"]
    install_triggers()
    install_triggers()
    assert switched_off() == []


def test_the_pages_show_what_happened(
    client_for: Callable[[User], Client], administrator: User, technician: User
) -> None:
    seal()
    client = client_for(administrator)
    _run("UPDATE accounts_user SET full_name = 'Eve <b>' WHERE id = %s", technician.pk)
    with time_machine.travel(timezone.now() + 2 * explaining.SETTLED_AFTER, tick=False):
        client = client_for(administrator)
        outside = client.get("/administration/history/").content.decode()
    record = f"/administration/history/accounts.user/{technician.pk}/"
    assert record in outside
    page = client.get(record).content.decode()
    assert "Eve &lt;b&gt;" in page
    assert "Outside the application" in page
    assert client.get("/administration/history/sessions.session/1/").status_code == 404
    assert client.get("/administration/history/nonsense/1/").status_code == 404
    assert AuditEvent.objects.filter(action="history.viewed").count() == 2
