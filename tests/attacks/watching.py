"""Whether a request wrote anything, and whether the audit trail says so."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection, transaction

# What browsers and the machinery keep for themselves, which is no change of a record: sessions,
# failures to sign in, the trail itself, when a token was used, answers to be given again,
# what somebody has seen of what was said to them, and names in a reader check under way: rows
# that are only added, stand in no record, and are summed up in the trail when the check ends.
UNAUDITED = frozenset({
    "django_session", "axes_accessattempt", "axes_accesslog", "axes_accessfailurelog",
    "accounts_auditevent", "accounts_auditseal", "accounts_rowchange", "api_apitoken",
    "api_answeredrequest", "consultation_mention", "consultation_draft", "notifications_notice",
    "quality_checkanswer",
})  # fmt: skip


@dataclass(slots=True)
class Watched:
    """What one request left behind: tables that it changed, and how many audit entries."""

    tables: list[str] = field(default_factory=list)
    entries: int = 0


@contextmanager
def taken_back() -> Iterator[Watched]:
    """Run a request and take it back; then `Watched` holds what it had written."""
    watched = Watched()
    before, entries = _touched(), _entries()
    inside: dict[str, tuple[int, str]] = {}
    block = transaction.atomic()
    # What wants to be the outermost transaction takes this one for the test's own.
    vars(block)["_from_testcase"] = True
    with block:
        yield watched
        if not connection.needs_rollback:  # else the request failed, and nothing of it stands
            watched.entries = _entries() - entries
            inside = {name: _digest(name) for name in _changed_since(before)}
        transaction.set_rollback(True)
    watched.tables = [name for name, digest in inside.items() if digest != _digest(name)]


def _changed_since(before: Mapping[str, int]) -> list[str]:
    """Return the tables that may have changed; what was taken back within counts, too."""
    return [
        name
        for name, count in _touched().items()
        if count != before.get(name, 0) and name not in UNAUDITED
    ]


def _touched() -> dict[str, int]:
    """Return how many rows of each table this transaction touched so far, taken back or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
            " WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"
        )
        return dict(cursor.fetchall())


def _entries() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_auditevent")
        return int(cursor.fetchone()[0])


def _digest(table: str) -> tuple[int, str]:
    """Return what tells one content of a table from another."""
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(table)
        cursor.execute(
            f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {name} t"
        )
        return cursor.fetchone()
