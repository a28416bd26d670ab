"""Fixtures: signed reports, and a program that reads them as FHIR."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from django.test import Client

from accounts.models import User
from api.enums import Scope
from classifier.enums import ReviewOutcome
from classifier.models import Case
from classifier.services.reviews import close_review
from classifier.services.transitions import transition
from reports.drafting import draft_report
from reports.models import Report, SignOff
from reports.services.sign_off import sign_off_case
from tests.api.conftest import Program
from tests.reports.conftest import ANSWERS, Sign, intent_for, proof_of
from tests.reports.contents import RECEIVED, make_signature
from tests.reports.history import OpenCase
from tests.reviewing import MakeCase

CELLS = ["neutrophil"] * 4 + ["lymphocyte", "monocyte", "erythroblast"]


Issue = Callable[[Case], Report]


@pytest.fixture
def issue(pathologist: User) -> Issue:
    """Store what a case says now as its signed report, without the work of a PDF."""
    numbers = count(1)

    def store(case: Case) -> Report:
        report_id = uuid.uuid4()
        signature = make_signature(
            report_id=str(report_id),
            signer_id=pathologist.pk,
            signed_at=RECEIVED + timedelta(minutes=next(numbers)),
        )
        content = draft_report(case).signed(signature)
        hashes = {"content_sha256": content.content_sha256, "pdf_sha256": "0" * 64}
        report = Report.objects.create(
            id=report_id,
            case=case,
            version=1,
            status=content.status.code,
            content=content.to_json(),
            pdf="reports/none.pdf",
            issued_at=signature.signed_at,
            **hashes,
        )
        SignOff.objects.create(
            report=report,
            signer=pathologist,
            signer_name=signature.signer_name,
            meaning=signature.meaning.code,
            signed_at=signature.signed_at,
            draft_sha256=content.draft_sha256,
            reauthenticated_by="password",
            reauthenticated_at=signature.signed_at,
            **hashes,
        )
        transition(case_id=case.pk, name="sign_off", actor=pathologist)
        close_review(case=case, outcome=ReviewOutcome.SIGNED)
        return report

    return store


@pytest.fixture
def reports(open_counted: OpenCase, issue: Issue) -> list[Report]:
    """Three signed reports of one patient, the oldest first."""
    return [issue(open_counted(CELLS, hours_ago=hours, wbc="7.2")) for hours in (60, 40, 20)]


@pytest.fixture
def ready_case(classified_case: MakeCase) -> Case:
    """A case open with the pathologist, all its cells read."""
    return classified_case(ANSWERS, in_review=True)


@pytest.fixture
def sign(pathologist: User) -> Sign:
    """Sign a case as it now stands, PDF and all."""

    def sign_now(case: Case) -> Report:
        return sign_off_case(
            case_id=case.pk,
            actor=pathologist,
            intent=intent_for(case),
            reauthentication=proof_of(pathologist),
        )

    return sign_now


@pytest.fixture
def fhir(technician: User, program: Program) -> Client:
    return program(technician, Scope.FHIR_READ)
