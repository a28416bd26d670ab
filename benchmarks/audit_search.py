"""How long the audit trail is searched for a word, with an index and without.

python -m hematovision.embedded run -- python manage.py migrate
python -m hematovision.embedded run -- python -m benchmarks.audit_search [--events 200000]

Writes that many made-up entries in a transaction that is rolled back, asks for a rare and for a
common word as the page does, and prints PostgreSQL's own times; then what writing an entry costs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import django

QUERY = """
EXPLAIN (ANALYZE, FORMAT TEXT) SELECT id FROM accounts_auditevent WHERE {where}
ORDER BY at DESC, id DESC LIMIT 50
"""
WORDS = (
    r"""to_tsvector('simple', regexp_replace(left(payload, 100000), '[^[:alnum:]]+', ' ', 'g'))"""
)
INDEX = f"CREATE INDEX audit_words ON accounts_auditevent USING gin ({WORDS})"
BY_WORD = WORDS + " @@ to_tsquery('simple', '{word}:*')"
BY_PART = "upper(payload) LIKE upper('%{word}%')"
FILL = """
INSERT INTO accounts_auditevent (id, at, actor_id, actor_name, action, target_type, target_id,
    target_label, reason, request_id, payload)
SELECT gen_random_uuid(), now() - n * interval '1 minute', u.id, 'Tess Technician',
    'case.registered', 'classifier.case', gen_random_uuid()::text, 'HV26-' || n, '', '',
    json_build_object('action', 'case.registered', 'actor_name', 'Tess Technician',
        'target_label', 'HV26-' || n, 'target_id', gen_random_uuid(), 'request_id',
        gen_random_uuid(), 'reason', CASE WHEN n %% 20000 = 0 THEN 'clotted rosette' ELSE '' END,
        'after', json_build_object('priority', 'routine', 'status', 'registered'))::text
FROM generate_series(%s, %s) n, (SELECT id FROM accounts_user WHERE is_system) u
"""


def main() -> int:
    """Measure, print, roll back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=200_000)
    events = parser.parse_args().events
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hematovision.settings")
    django.setup()
    from django.db import connection, transaction  # noqa: PLC0415 - after set-up

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER USER")
        for name, where in (
            ("without an index", BY_PART),
            ("full-text index", BY_WORD),
        ):
            start = transaction.savepoint()
            if where == BY_WORD:
                cursor.execute(INDEX)
            began = time.perf_counter()
            cursor.execute(FILL, [1, events])
            taken = (time.perf_counter() - began) / events
            cursor.execute("ANALYZE accounts_auditevent")
            sys.stdout.write(f"{name}: writing takes {taken * 1e6:.0f} us an entry\n")
            for word in ("rosette", "routine"):
                _explain(cursor, where.format(word=word), f"{name}, {word}")
            transaction.savepoint_rollback(start)
        transaction.set_rollback(True)
    return 0


def _explain(cursor: object, where: str, name: str) -> None:
    """Print how a question is answered, and in what time."""
    cursor.execute(QUERY.format(where=where.replace("%", "%%")), [])  # type: ignore[attr-defined]
    lines = [line for (line,) in cursor.fetchall()]  # type: ignore[attr-defined]
    plan = next(line.strip(" ->") for line in lines if "Scan" in line)
    sys.stdout.write(f"{name}: {lines[-1]}; {plan.split('(')[0]}\n")


if __name__ == "__main__":
    sys.exit(main())
