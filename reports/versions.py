"""The database's rule of which version may follow which, made from the same table as the code's."""

import pgtrigger

from reports.enums import FIRST, MAY_FOLLOW


def _pairs() -> str:
    """Return the legal pairs (status before, status after) as SQL."""
    pairs = [(before, after) for before, others in MAY_FOLLOW.items() for after in others]
    return ", ".join(f"('{before.value}', '{after.value}')" for before, after in pairs)


def _first() -> str:
    return ", ".join(f"'{status.value}'" for status in FIRST)


VERSION_FOLLOWS = pgtrigger.Trigger(
    name="version_follows",
    operation=pgtrigger.Insert,
    when=pgtrigger.Before,
    declare=[("prior", "RECORD")],
    func=f"""
        SELECT case_id, version, status INTO prior
            FROM reports_report WHERE id = NEW.supersedes_id;
        IF NEW.supersedes_id IS NULL AND NEW.status IN ({_first()})
            OR prior.case_id = NEW.case_id AND prior.version + 1 = NEW.version
            AND (prior.status, NEW.status) IN ({_pairs()})
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'A % version supersedes no such version.', NEW.status
            USING ERRCODE = 'check_violation';
    """,  # noqa: S608 - of our own enumerations
)
"""A version supersedes the one before it of its case, and only one that it may follow."""
