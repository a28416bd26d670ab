"""Signing: what is frozen, bound and stored, and what is refused."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import InternalError, connection, transaction
from django.utils import timezone

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.exceptions import (
    EditConflict,
    GuardFailed,
    NotPermitted,
    TransitionRefused,
)
from classifier.models import Case, Laboratory, Review
from classifier.services import reviews
from reports.drafting import draft_report
from reports.enums import ReportStatus, SignatureMeaning
from reports.models import Report, SignOff
from reports.services.reauthentication import VALID_FOR
from reports.services.sign_off import sign_off_case
from tests.factories import UserFactory
from tests.reports.conftest import Sign, intent_for, proof_of
from tests.reviewing import MakeCase, cells_of


def nothing_signed(case: Case) -> bool:
    case.refresh_from_db()
    return (
        case.status == CaseStatus.IN_REVIEW
        and not Report.objects.exists()
        and not SignOff.objects.exists()
        and not AuditEvent.objects.filter(action="report.issued").exists()
        and not list(Path(settings.MEDIA_ROOT).glob("reports/**/*.pdf"))
    )


def test_freezes_content_and_document_and_binds_the_signature(
    ready_case: Case, pathologist: User, sign: Sign
) -> None:
    report = sign(ready_case)

    ready_case.refresh_from_db()
    content = report.says
    assert (ready_case.status, ready_case.signed_by) == (CaseStatus.SIGNED_OFF, pathologist)
    assert (report.version, report.status) == (1, ReportStatus.FINAL)
    assert content.signature is not None
    assert content.signature.printed_name == "Paul Pathologist, MD"
    assert content.signature.signed_at == report.issued_at
    mark = report.sign_off
    assert report.content_sha256 == content.content_sha256 == mark.content_sha256
    assert mark.draft_sha256 == content.draft_sha256
    with report.pdf.open("rb") as file:
        data = file.read()
    assert hashlib.sha256(data).hexdigest() == report.pdf_sha256 == mark.pdf_sha256
    assert report.pdf.name == f"reports/{ready_case.pk}/{report.pk}.pdf"


def test_says_what_was_counted(ready_case: Case, sign: Sign) -> None:
    content = sign(ready_case).says

    rows = {row.cell_type.code: row for row in content.differential}
    assert (rows["neutrophil"].count, rows["lymphocyte"].count) == (4, 1)
    assert content.reading.leukocytes == 6
    assert content.nucleated_red_cells.count == 1
    assert [other.cell_type.code for other in content.other_cells] == ["platelet"]
    assert [software.name for software in content.reading.software] == ["fake"]
    assert content.reading.read_by_software == content.reading.cells == 8
    assert len(content.pictures) == 8
    assert "AI-assisted, human-verified" in content.method
    assert content.limits[0].startswith("Only 6 leukocytes were counted")


def test_ends_the_review_and_is_audited(ready_case: Case, sign: Sign) -> None:
    report = sign(ready_case)

    review = Review.objects.get(case=ready_case)
    assert review.outcome == ReviewOutcome.SIGNED
    event = AuditEvent.objects.get(action="report.issued")
    assert event.target_label == f"report {ready_case.accession_number} v1"
    assert event.after is not None
    assert event.after["content_sha256"] == report.content_sha256
    assert event.patient_id == ready_case.patient_id
    assert AuditEvent.objects.filter(action="case.sign_off").count() == 1


def test_counts_referred_and_changed_cells_apart(
    classified_case: MakeCase, correct: Callable[..., object], sign: Sign
) -> None:
    case = classified_case(["neutrophil", "neutrophil", "unidentified"], in_review=True)
    correct(case, [1], "plasma_cell")
    correct(case, [2], "monocyte")

    reading = sign(case).says.reading

    assert (reading.referred, reading.changed_by_human, reading.named_by_human) == (1, 1, 2)


def test_a_case_read_by_eye_says_so(
    classified_case: MakeCase, correct: Callable[..., object], sign: Sign
) -> None:
    case = classified_case(["", ""], in_review=True)
    correct(case, [0, 1], "neutrophil")

    content = sign(case).says

    assert content.reading.software == ()
    assert "without help from software" in content.method


def test_refuses_while_referred_cells_wait(classified_case: MakeCase, sign: Sign) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)

    with pytest.raises(GuardFailed, match="1 referred cell is still"):
        sign(case)

    assert nothing_signed(case)


def test_the_submitter_cannot_sign(ready_case: Case, pathologist: User, sign: Sign) -> None:
    Case.objects.filter(pk=ready_case.pk).update(submitted_by=pathologist)

    with pytest.raises(NotPermitted):
        sign(ready_case)

    assert nothing_signed(ready_case)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.PATHOLOGIST])
def test_only_pathologists_sign(ready_case: Case, sign: Sign, role: Role) -> None:
    with pytest.raises(NotPermitted):
        sign(ready_case, UserFactory(role=role))

    assert nothing_signed(ready_case)


def test_another_pathologist_does_not_sign_an_opened_case(ready_case: Case, sign: Sign) -> None:
    with pytest.raises(NotPermitted):
        sign(ready_case, UserFactory(role=Role.PATHOLOGIST))

    assert nothing_signed(ready_case)


def test_refuses_a_case_that_is_not_open(classified_case: MakeCase, sign: Sign) -> None:
    with pytest.raises(TransitionRefused):
        sign(classified_case(["neutrophil"]))


@pytest.mark.parametrize("change", ["cell", "comment", "patient", "laboratory"])
def test_refuses_what_was_changed_since_the_preview(
    ready_case: Case, pathologist: User, correct: Callable[..., object], change: str
) -> None:
    intent = intent_for(ready_case)
    if change == "cell":
        correct(ready_case, [0], "plasma_cell")
    elif change == "comment":
        reviews.set_comment(
            case_id=ready_case.pk,
            actor=pathologist,
            text="Blasts.",
            revision=reviews.revision_of(""),
        )
    elif change == "patient":
        ready_case.patient.given_name = "Janet"
        ready_case.patient.save(update_fields=["given_name"])
    else:
        laboratory = Laboratory.current()
        laboratory.name = "Another Laboratory"
        laboratory.save(update_fields=["name"])

    with pytest.raises(EditConflict, match="Nothing was signed"):
        sign_off_case(
            case_id=ready_case.pk,
            actor=pathologist,
            intent=intent,
            reauthentication=proof_of(pathologist),
        )

    assert nothing_signed(ready_case)


def test_refuses_what_changes_while_the_document_is_made(
    ready_case: Case,
    pathologist: User,
    correct: Callable[..., object],
    sign: Sign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from reports.services import sign_off

    render = sign_off.render_pdf

    def render_and_lose_the_race(*arguments: object) -> bytes:
        correct(ready_case, [0], "plasma_cell")
        return render(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sign_off, "render_pdf", render_and_lose_the_race)

    with pytest.raises(EditConflict):
        sign(ready_case)

    assert nothing_signed(ready_case)


def test_the_same_intent_twice_gives_one_report(ready_case: Case, pathologist: User) -> None:
    intent = intent_for(ready_case)

    first, second = (
        sign_off_case(
            case_id=ready_case.pk,
            actor=pathologist,
            intent=intent,
            reauthentication=proof_of(pathologist),
        )
        for _ in range(2)
    )

    assert first == second
    assert Report.objects.count() == SignOff.objects.count() == 1


def test_another_intent_on_a_signed_case_is_refused(
    ready_case: Case, pathologist: User, sign: Sign
) -> None:
    intent = intent_for(ready_case)
    sign(ready_case)

    with pytest.raises(TransitionRefused):
        sign_off_case(
            case_id=ready_case.pk,
            actor=pathologist,
            intent=replace(intent, meaning=SignatureMeaning.AUTHORSHIP),
            reauthentication=proof_of(pathologist),
        )


@pytest.mark.parametrize("flaw", ["old", "somebody else's"])
def test_needs_the_signers_own_fresh_password(
    ready_case: Case, pathologist: User, technician: User, flaw: str
) -> None:
    proof = proof_of(pathologist)
    if flaw == "old":
        proof = replace(proof, at=timezone.now() - VALID_FOR - timedelta(seconds=1))
    else:
        proof = replace(proof, user_id=technician.pk)

    with pytest.raises(NotPermitted, match="password again"):
        sign_off_case(
            case_id=ready_case.pk,
            actor=pathologist,
            intent=intent_for(ready_case),
            reauthentication=proof,
        )

    assert nothing_signed(ready_case)


def test_prints_the_cells_that_the_signer_chose(ready_case: Case, pathologist: User) -> None:
    chosen = [cells_of(ready_case)[5].pk, cells_of(ready_case)[0].pk]
    draft = draft_report(Case.objects.get(pk=ready_case.pk), cell_ids=chosen)
    intent = replace(intent_for(ready_case), draft_sha256=draft.draft_sha256, cell_ids=chosen)

    report = sign_off_case(
        case_id=ready_case.pk,
        actor=pathologist,
        intent=intent,
        reauthentication=proof_of(pathologist),
    )

    pictures = report.says.pictures
    assert [item.cell_type.code for item in pictures] == ["neutrophil", "monocyte"]
    image = cells_of(ready_case)[0].image
    assert pictures[0].image_sha256 == image.original_sha256


def test_refuses_cells_of_another_case(ready_case: Case) -> None:
    with pytest.raises(GuardFailed, match="of this case"):
        draft_report(ready_case, cell_ids=[uuid.uuid4()])


def test_a_failing_store_leaves_neither_rows_nor_file(
    ready_case: Case, sign: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(SignOff.objects, "create", fail)

    with pytest.raises(OSError, match="disk full"):
        sign(ready_case)

    assert nothing_signed(ready_case)


@pytest.mark.parametrize("table", ["reports_report", "reports_signoff"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET content_sha256 = 'x'", "DELETE FROM {}"])
def test_the_database_itself_refuses_changes(
    ready_case: Case, sign: Sign, table: str, statement: str
) -> None:
    sign(ready_case)

    with (
        pytest.raises(InternalError, match="append_only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))


def test_names_on_the_signature_outlive_the_account(
    ready_case: Case, pathologist: User, sign: Sign
) -> None:
    report = sign(ready_case)
    pathologist.full_name = "Paula Married"
    pathologist.is_active = False
    pathologist.save(update_fields=["full_name", "is_active"])

    report = Report.objects.get(pk=report.pk)
    assert report.sign_off.printed_name == "Paul Pathologist, MD"
    assert report.says.signature is not None
    assert report.says.signature.signer_name == "Paul Pathologist"
