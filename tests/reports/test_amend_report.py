"""Correcting a signed report: a new version, the old one untouched."""

import hashlib
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed
from classifier.models import Case
from classifier.services import reviews
from reports.drafting import draft_report
from reports.enums import ReportStatus
from reports.models import Report
from reports.services.reading import read_pdf
from tests.reports.conftest import Sign

REASON = "Two cells were misread."


@pytest.fixture
def corrected(
    ready_case: Case, pathologist: User, sign: Sign, correct: Callable[..., object]
) -> tuple[Report, bytes, Report]:
    """Return version 1, its bytes when it was issued, and version 2."""
    first = sign(ready_case)
    data = read_pdf(first, actor=pathologist)
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason=REASON)
    correct(ready_case, [0, 1], "plasma_cell")
    return first, data, sign(ready_case)


def test_issues_a_corrected_version_with_reason_and_changes(
    corrected: tuple[Report, bytes, Report],
) -> None:
    first, _, second = corrected

    amendment = second.says.amendment
    assert (second.version, second.status) == (2, ReportStatus.CORRECTED)
    assert (second.supersedes, second.reason) == (first, REASON)
    assert amendment is not None
    assert (amendment.supersedes_sha256, amendment.reason) == (first.content_sha256, REASON)
    changes = {change.item: (change.old, change.new) for change in amendment.changes}
    assert changes["Neutrophil"][0].startswith("4 (66.7 %)")
    assert changes["Neutrophil"][1].startswith("2 (33.3 %)")
    assert changes["Plasma cell"] == ("not reported", "2 (33.3 %)")


def test_version_1_stays_as_it_was_byte_for_byte(
    corrected: tuple[Report, bytes, Report], pathologist: User
) -> None:
    first, data, second = corrected

    stored = Report.objects.get(pk=first.pk)
    assert read_pdf(stored, actor=pathologist) == data
    assert hashlib.sha256(data).hexdigest() == stored.pdf_sha256
    assert stored.says == first.says
    assert stored.pdf.name != second.pdf.name


def test_current_is_the_version_that_none_supersedes(
    corrected: tuple[Report, bytes, Report],
) -> None:
    assert list(Report.objects.current()) == [corrected[2]]


def test_refuses_a_correction_that_corrects_nothing(
    ready_case: Case, pathologist: User, sign: Sign
) -> None:
    sign(ready_case)
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason=REASON)

    with pytest.raises(GuardFailed, match="Nothing differs from version 1"):
        sign(ready_case)


def test_a_changed_interpretation_is_a_correction(
    ready_case: Case, pathologist: User, sign: Sign
) -> None:
    sign(ready_case)
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason=REASON)
    reviews.set_comment(
        case_id=ready_case.pk, actor=pathologist, text="Normal.", revision=reviews.revision_of("")
    )

    amendment = sign(ready_case).says.amendment

    assert amendment is not None
    assert [change.item for change in amendment.changes] == ["Interpretation"]


def test_withdrawing_leaves_the_signed_report_standing(
    ready_case: Case, pathologist: User, sign: Sign
) -> None:
    first = sign(ready_case)
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason=REASON)

    reviews.withdraw_amendment(case_id=ready_case.pk, actor=pathologist)

    ready_case.refresh_from_db()
    assert ready_case.status == CaseStatus.SIGNED_OFF
    assert list(Report.objects.current()) == [first]


def test_versions_form_one_chain_in_the_database_too(
    corrected: tuple[Report, bytes, Report],
) -> None:
    first, _, second = corrected
    rival = Report(
        case=first.case,
        version=3,
        status=ReportStatus.CORRECTED,
        supersedes=first,
        reason=REASON,
        content=second.content,
        content_sha256=second.content_sha256,
        pdf=second.pdf.name,
        pdf_sha256=second.pdf_sha256,
        issued_at=second.issued_at,
    )

    with pytest.raises(IntegrityError, match="supersedes"), transaction.atomic():
        rival.save()
    rival.supersedes, rival.reason = second, ""
    with pytest.raises(IntegrityError, match="with_reason"), transaction.atomic():
        rival.save()


def test_a_third_version_is_held_against_the_second(
    corrected: tuple[Report, bytes, Report],
    pathologist: User,
    correct: Callable[..., object],
) -> None:
    case = corrected[0].case
    reviews.amend(case_id=case.pk, actor=pathologist, reason="Once more.")
    correct(case, [0], "neutrophil")

    draft = draft_report(Case.objects.get(pk=case.pk))

    assert draft.version == 3
    assert draft.amendment is not None
    assert draft.amendment.supersedes_version == 2
    blasts = next(change for change in draft.amendment.changes if change.item == "Plasma cell")
    assert blasts.old.startswith("2 ")
