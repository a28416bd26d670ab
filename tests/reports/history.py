"""Fixtures and makers of patients with earlier signed reports."""

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from classifier.enums import CaseStatus, ReviewOutcome
from classifier.models import Case, ModelVersion, Patient
from classifier.services import reviews
from classifier.services.cases import OrderDetails, SpecimenDetails, open_case
from classifier.services.transitions import transition
from reports.drafting import draft_report
from reports.models import Report
from tests.clinical import MakeImage
from tests.reports.contents import make_signature
from tests.reviewing import read_image

MakeReport = Callable[..., Report]
OpenCase = Callable[..., Case]


@pytest.fixture
def open_counted(
    technician: User,
    pathologist: User,
    patient: Patient,
    add_picture: MakeImage,
    active_model: ModelVersion,
) -> OpenCase:
    """Return a maker of a case in review: cells as read, collected so many hours ago."""

    def make(answers: Sequence[str], *, hours_ago: float = 2, wbc: str = "") -> Case:
        taken = timezone.now() - timedelta(hours=hours_ago)
        case = open_case(
            actor=technician,
            patient=patient,
            order=OrderDetails(),
            specimen=SpecimenDetails(collected_at=taken, received_at=taken + timedelta(hours=1)),
        )
        for answer in answers:
            read_image(add_picture(case), active_model, answer)
        Case.objects.filter(pk=case.pk).update(
            status=CaseStatus.AWAITING_REVIEW,
            submitted_by=technician,
            submitted_at=timezone.now(),
            wbc_count=Decimal(wbc) if wbc else None,
        )
        reviews.open_review(case_id=case.pk, actor=pathologist)
        return Case.objects.get(pk=case.pk)

    return make


@pytest.fixture
def report_of(pathologist: User) -> MakeReport:
    """Store what a case says now as its signed report, without the work of a PDF."""

    def store(case: Case, *, version: int = 1, supersedes: Report | None = None) -> Report:
        signature = make_signature()
        content = draft_report(case).signed(signature)
        report = Report.objects.create(
            id=uuid.uuid4(),
            case=case,
            version=version,
            status=content.status.code,
            reason="Corrected." if supersedes else "",
            supersedes=supersedes,
            content=content.to_json(),
            content_sha256=content.content_sha256,
            pdf="reports/none.pdf",
            pdf_sha256="0" * 64,
            issued_at=signature.signed_at,
        )
        transition(case_id=case.pk, name="sign_off", actor=pathologist)
        reviews.close_review(case=case, outcome=ReviewOutcome.SIGNED)
        return report

    return store
