"""Interim reports before the final one, and reports that only add to what was signed."""

from collections.abc import Callable
from dataclasses import fields

import pytest

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, Laboratory
from classifier.services import reviews
from reports.drafting import draft_report
from reports.enums import Issue, ReportStatus, SignatureMeaning
from reports.models import Report
from reports.services.sign_off import Intent, sign_off_case
from tests.factories import UserFactory
from tests.reports.conftest import Sign, proof_of
from tests.reviewing import MakeCase, cells_of

Release = Callable[..., Report]
WHY = "The special stain came in."


@pytest.fixture
def issue(pathologist: User) -> Release:
    """Preview and sign a case as an interim or appended report."""

    def issue_now(
        case: Case, what: Issue, actor: User | None = None, cells: object = None
    ) -> Report:
        fresh = Case.objects.get(pk=case.pk)
        draft = draft_report(fresh, issue=what, cell_ids=cells)  # type: ignore[arg-type]
        signer = actor or pathologist
        return sign_off_case(
            case_id=case.pk,
            actor=signer,
            intent=Intent(SignatureMeaning.REVIEW, draft.draft_sha256, cells, what),  # type: ignore[arg-type]
            reauthentication=proof_of(signer),
        )

    return issue_now


@pytest.fixture
def amended(ready_case: Case, pathologist: User, sign: Sign) -> tuple[Case, Report]:
    """A signed case with an interpretation, open for an amendment."""
    write(ready_case, pathologist, "Normal.")
    report = sign(ready_case)
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason=WHY)
    return Case.objects.get(pk=ready_case.pk), report


def write(case: Case, actor: User, text: str) -> None:
    now = case.reviews.get(completed_at=None).comment
    reviews.set_comment(case_id=case.pk, actor=actor, text=text, revision=reviews.revision_of(now))


def test_an_interim_report_leaves_the_review_open(ready_case: Case, issue: Release) -> None:
    report = issue(ready_case, Issue.INTERIM)

    ready_case.refresh_from_db()
    assert (report.version, report.status) == (1, ReportStatus.PRELIMINARY)
    assert ready_case.status == CaseStatus.IN_REVIEW
    assert ready_case.reviews.get().completed_at is None
    assert ready_case.signed_at is None


def test_the_final_report_replaces_the_interim_one(
    ready_case: Case, issue: Release, sign: Sign
) -> None:
    first = issue(ready_case, Issue.INTERIM)
    second = issue(ready_case, Issue.INTERIM)
    final = sign(ready_case)

    replaced = final.says.replaces
    assert replaced is not None
    assert (replaced.version, replaced.sha256) == (2, second.content_sha256)
    assert (final.version, final.status, final.supersedes) == (3, ReportStatus.FINAL, second)
    assert final.reason == ""
    assert list(Report.objects.current()) == [final]
    assert first.superseded_by == second


def test_the_same_interim_intent_twice_gives_one_report(
    ready_case: Case, pathologist: User
) -> None:
    draft = draft_report(ready_case, issue=Issue.INTERIM)
    intent = Intent(SignatureMeaning.REVIEW, draft.draft_sha256, issue=Issue.INTERIM)
    made = [
        sign_off_case(
            case_id=ready_case.pk,
            actor=pathologist,
            intent=intent,
            reauthentication=proof_of(pathologist),
        )
        for _ in range(2)
    ]

    assert made[0] == made[1]
    assert Report.objects.count() == 1


def test_no_interim_report_while_referred_cells_wait(
    classified_case: MakeCase, issue: Release
) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)

    with pytest.raises(GuardFailed, match="1 referred cell"):
        issue(case, Issue.INTERIM)
    assert not Report.objects.exists()


def test_only_who_has_the_case_open_releases_an_interim_report(
    ready_case: Case, issue: Release
) -> None:
    with pytest.raises(NotPermitted):
        issue(ready_case, Issue.INTERIM, UserFactory.create(role="pathologist"))


def test_no_interim_report_follows_a_signed_one(
    ready_case: Case, issue: Release, sign: Sign
) -> None:
    sign(ready_case)

    with pytest.raises(GuardFailed, match="not followed by an interim"):
        issue(ready_case, Issue.INTERIM)


def test_a_case_that_nothing_has_read_has_no_interim_report(
    classified_case: MakeCase, issue: Release
) -> None:
    case = classified_case(["neutrophil"])
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.IN_CLASSIFICATION)
    case.refresh_from_db()
    with pytest.raises(TransitionRefused):
        issue(case, Issue.INTERIM)


def test_an_addition_holds_all_that_was_signed_and_more(
    amended: tuple[Case, Report], pathologist: User, issue: Release
) -> None:
    case, first = amended
    write(case, pathologist, "Normal.\n\nIron stain negative.")

    report = issue(case, Issue.ADDITION)

    content, old = report.says, first.says
    assert (report.version, report.status) == (2, ReportStatus.APPENDED)
    assert (report.supersedes, report.reason) == (first, WHY)
    assert content.amendment is not None
    assert content.amendment.is_addition
    assert [(item.item, item.new) for item in content.amendment.changes] == [
        ("Interpretation", "Iron stain negative.")
    ]
    for part in fields(old):
        if part.name not in {"version", "status", "amendment", "signature", "interpretation"}:
            assert getattr(content, part.name) == getattr(old, part.name), part.name
    assert content.interpretation.startswith(old.interpretation)


def test_an_addition_keeps_the_letterhead_that_was_signed(
    amended: tuple[Case, Report], pathologist: User, issue: Release
) -> None:
    case, first = amended
    Laboratory.objects.update(name="Another name")
    write(case, pathologist, "Normal.\nIron stain negative.")

    assert issue(case, Issue.ADDITION).says.laboratory == first.says.laboratory


def test_more_pictures_are_an_addition_and_those_printed_stay(
    classified_case: MakeCase, pathologist: User, issue: Release
) -> None:
    case = classified_case(["neutrophil"] * 14, in_review=True)
    first = issue(case, Issue.RESULT)
    printed = {item.cell_id for item in first.says.pictures}
    reviews.amend(case_id=case.pk, actor=pathologist, reason=WHY)
    other = next(cell.pk for cell in cells_of(case) if str(cell.pk) not in printed)

    content = issue(case, Issue.ADDITION, cells=[other]).says

    assert content.pictures[:-1] == first.says.pictures
    assert content.pictures[-1].cell_id == str(other)


@pytest.mark.parametrize("text", ["Abnormal.", "", "Normal. Or not.", "Not so.\nNormal."])
def test_an_addition_changes_no_word(
    amended: tuple[Case, Report], pathologist: User, issue: Release, text: str
) -> None:
    write(amended[0], pathologist, text)

    with pytest.raises(GuardFailed, match="Interpretation differs from version 1"):
        issue(amended[0], Issue.ADDITION)


def test_an_addition_changes_no_cell(
    amended: tuple[Case, Report], correct: Callable[..., object], issue: Release
) -> None:
    correct(amended[0], [0], "plasma_cell")

    with pytest.raises(GuardFailed, match="Leukocyte differential, How the cells were read differ"):
        issue(amended[0], Issue.ADDITION)


def test_an_addition_changes_no_patient(
    amended: tuple[Case, Report], pathologist: User, issue: Release
) -> None:
    case, _ = amended
    case.patient.given_name = "Janet"
    case.patient.save(update_fields=["given_name"])
    write(case, pathologist, "Normal.\nMore.")

    with pytest.raises(GuardFailed, match="Patient differs"):
        issue(case, Issue.ADDITION)


def test_an_addition_of_nothing_is_refused(amended: tuple[Case, Report], issue: Release) -> None:
    with pytest.raises(GuardFailed, match="Nothing was added to version 1"):
        issue(amended[0], Issue.ADDITION)


def test_nothing_is_added_to_what_was_never_signed(ready_case: Case, issue: Release) -> None:
    with pytest.raises(GuardFailed, match="Nothing is signed yet"):
        issue(ready_case, Issue.ADDITION)


def test_a_correction_may_follow_an_addition(
    amended: tuple[Case, Report],
    pathologist: User,
    issue: Release,
    sign: Sign,
    correct: Callable[..., object],
) -> None:
    case, _ = amended
    write(case, pathologist, "Normal.\nMore.")
    issue(case, Issue.ADDITION)
    reviews.amend(case_id=case.pk, actor=pathologist, reason="Misread.")
    correct(case, [0], "plasma_cell")

    third = sign(case)

    assert (third.version, third.status) == (3, ReportStatus.CORRECTED)
    assert third.says.amendment is not None
    assert not third.says.amendment.is_addition
