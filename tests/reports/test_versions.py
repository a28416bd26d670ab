"""Which version may follow which: every pair, in the database, against the rules written again."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from classifier.models import Case
from reports.enums import ReportStatus as S
from reports.models import Report

# Written out again, independently of the code: status before -> statuses after.
EXPECTED = {
    None: {S.PRELIMINARY, S.FINAL},
    S.PRELIMINARY: {S.PRELIMINARY, S.FINAL, S.CANCELLED},
    S.CANCELLED: set(),
    S.FINAL: {S.CORRECTED, S.APPENDED, S.ENTERED_IN_ERROR},
    S.CORRECTED: {S.CORRECTED, S.APPENDED, S.ENTERED_IN_ERROR},
    S.APPENDED: {S.CORRECTED, S.APPENDED, S.ENTERED_IN_ERROR},
    S.ENTERED_IN_ERROR: set(),
}
WAY_TO = {
    S.PRELIMINARY: (S.PRELIMINARY,),
    S.FINAL: (S.FINAL,),
    S.CORRECTED: (S.FINAL, S.CORRECTED),
    S.APPENDED: (S.FINAL, S.APPENDED),
    S.ENTERED_IN_ERROR: (S.FINAL, S.ENTERED_IN_ERROR),
    S.CANCELLED: (S.PRELIMINARY, S.CANCELLED),
}
NEEDS_NO_REASON = {S.PRELIMINARY, S.FINAL}


def issue(case: Case, status: S, after: Report | None, **changed: object) -> Report:
    """Store a version as a bulk insert or a script could."""
    values = {
        "case": case,
        "version": after.version + 1 if after else 1,
        "status": status,
        "supersedes": after,
        "reason": "" if status in NEEDS_NO_REASON else "Because.",
        "content": {},
        "content_sha256": "0" * 64,
        "pdf_sha256": "0" * 64,
        "issued_at": datetime(2026, 11, 20, tzinfo=UTC),
    }
    return Report.objects.create(**values | changed)


def chain(case: Case, *statuses: S) -> Report | None:
    last = None
    for status in statuses:
        last = issue(case, status, last)
    return last


def is_accepted(case: Case, status: S, after: Report | None, **changed: object) -> bool:
    try:
        with transaction.atomic():
            issue(case, status, after, **changed)
    except IntegrityError:
        return False
    return True


@pytest.mark.parametrize("before", EXPECTED)
def test_only_these_statuses_follow(case: Case, before: S | None) -> None:
    last = chain(case, *WAY_TO[before]) if before else None

    for status in S:
        with transaction.atomic():
            savepoint = transaction.savepoint()
            assert is_accepted(case, status, last) == (status in EXPECTED[before]), status
            transaction.savepoint_rollback(savepoint)


@pytest.mark.parametrize("status", [S.CORRECTED, S.APPENDED, S.ENTERED_IN_ERROR])
def test_what_changes_a_signed_report_says_why(case: Case, status: S) -> None:
    last = chain(case, S.FINAL)

    assert not is_accepted(case, status, last, reason="")


def test_no_version_is_left_out_or_taken_from_another_case(case: Case, patient: object) -> None:
    last = chain(case, S.FINAL)
    other = Case.objects.create(
        accession_number="HV26-999999X", patient=case.patient, registered_by=case.registered_by
    )

    assert not is_accepted(case, S.CORRECTED, last, version=3)
    assert not is_accepted(case, S.CORRECTED, None, version=2)
    assert not is_accepted(other, S.CORRECTED, last)


def test_interim_and_withdrawn_versions_are_nobodys_result(case: Case) -> None:
    interim = chain(case, S.PRELIMINARY)
    assert not Report.objects.standing().exists()
    final = issue(case, S.FINAL, interim)
    assert list(Report.objects.standing()) == [final]
    issue(case, S.ENTERED_IN_ERROR, final)
    assert not Report.objects.standing().exists()
