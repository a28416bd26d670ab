"""The demonstration's patient with earlier signed reports."""

from decimal import Decimal

import pytest

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.models import ModelVersion, Patient
from classifier.selectors.differential import get_differential
from classifier.services.cases import OrderDetails, open_case
from demo import history
from demo.history import EARLIER, sign_earlier_reports
from demo.people import PASSWORD
from reports.delta import find_deltas
from reports.drafting import rows_of, white_count_of
from reports.exceptions import WrongPassword
from reports.history import history_of_case
from reports.models import Report
from reports.previous import list_previous
from reports.services.reading import read_pdf
from tests.clinical import recent_specimen


@pytest.fixture
def reports(
    patient: Patient,
    technician: User,
    pathologist: User,
    model: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> list[Report]:
    """The latest of the earlier reports."""
    pathologist.set_password(PASSWORD)
    pathologist.save()
    monkeypatch.setattr(history, "EARLIER", EARLIER[-1:])
    return sign_earlier_reports(patient, technician=technician, pathologist=pathologist)


def test_the_reports_are_signed_as_people_sign(reports: list[Report], pathologist: User) -> None:
    for report, planned in zip(reports, EARLIER[-1:], strict=True):
        report.refresh_from_db()
        assert report.case.status == CaseStatus.SIGNED_OFF
        assert report.sign_off.signer == pathologist
        assert report.case.submitted_by != pathologist
        found = {row.cell_type.code: row.count for row in report.says.differential if row.count}
        assert found == dict(planned.cells)
        assert read_pdf(report, actor=pathologist).startswith(b"%PDF")
    signed = AuditEvent.objects.filter(action="report.issued")
    assert signed.count() == len(reports)


def test_the_next_case_has_previous_results_a_trend_and_a_delta(
    reports: list[Report], patient: Patient, technician: User
) -> None:
    order = OrderDetails(wbc_count=Decimal(28), wbc_measured_at=recent_specimen().received_at)
    case = open_case(actor=technician, patient=patient, order=order, specimen=recent_specimen())
    counted = get_differential(case)
    previous = list_previous(case)
    assert len(previous) == len(reports)
    shown = history_of_case(case, counted, previous)
    [white, *_] = shown.lines
    assert (white.label, white.trend is not None) == ("WBC", True)
    deltas = find_deltas(case, rows_of(counted), white_count_of(counted), previous)
    assert [delta.analyte.code for delta in deltas] == ["wbc"]


def test_nobody_signs_without_the_password(
    patient: Patient, technician: User, pathologist: User, model: ModelVersion
) -> None:
    pathologist.set_password("another one 17")
    with pytest.raises(WrongPassword):
        sign_earlier_reports(patient, technician=technician, pathologist=pathologist)
