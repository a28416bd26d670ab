"""Opening cases: accession number, specimen dates, order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier import accession
from classifier.enums import CaseStatus, Priority
from classifier.exceptions import InvalidSpecimen, NotPermitted
from classifier.models import Case, Patient, Specimen
from classifier.services.cases import OrderDetails, open_case
from tests.clinical import recent_specimen


def test_opens_a_registered_case_with_an_accession_number(
    technician: User, patient: Patient
) -> None:
    order = OrderDetails(priority=Priority.STAT, wbc_count=Decimal("7.20"))
    case = open_case(actor=technician, patient=patient, order=order, specimen=recent_specimen())
    assert case.status == CaseStatus.REGISTERED
    assert accession.is_well_formed(case.accession_number)
    assert case.specimen.collected_at < case.specimen.received_at
    assert AuditEvent.objects.get(action="case.registered").target_label == case.accession_number


def test_refuses_a_specimen_received_before_it_was_collected(
    technician: User, patient: Patient
) -> None:
    specimen = recent_specimen()
    wrong = replace(specimen, received_at=specimen.collected_at - timedelta(minutes=1))
    with pytest.raises(InvalidSpecimen, match="before it was collected"):
        open_case(actor=technician, patient=patient, order=OrderDetails(), specimen=wrong)
    assert not Case.objects.exists()


def test_refuses_a_specimen_from_the_future(technician: User, patient: Patient) -> None:
    wrong = replace(recent_specimen(), received_at=timezone.now() + timedelta(minutes=1))
    with pytest.raises(InvalidSpecimen, match="future"):
        open_case(actor=technician, patient=patient, order=OrderDetails(), specimen=wrong)


def test_refuses_a_specimen_collected_before_birth(technician: User, patient: Patient) -> None:
    wrong = replace(recent_specimen(), collected_at=datetime(1979, 12, 30, tzinfo=UTC))
    with pytest.raises(InvalidSpecimen, match="birth"):
        open_case(actor=technician, patient=patient, order=OrderDetails(), specimen=wrong)


def test_a_refused_case_uses_up_no_number(technician: User, patient: Patient) -> None:
    wrong = replace(recent_specimen(), received_at=timezone.now() + timedelta(days=1))
    with pytest.raises(InvalidSpecimen):
        open_case(actor=technician, patient=patient, order=OrderDetails(), specimen=wrong)
    case = open_case(
        actor=technician, patient=patient, order=OrderDetails(), specimen=recent_specimen()
    )
    assert "-000001" in case.accession_number


def test_a_pathologist_opens_no_case(pathologist: User, patient: Patient) -> None:
    with pytest.raises(NotPermitted):
        open_case(
            actor=pathologist, patient=patient, order=OrderDetails(), specimen=recent_specimen()
        )


def test_the_database_refuses_reversed_dates_too(case: Case) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Specimen.objects.filter(case=case).update(
            received_at=case.specimen.collected_at - timedelta(days=1)
        )


def test_the_database_refuses_a_signed_case_without_signer(case: Case) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(status=CaseStatus.SIGNED_OFF)


def test_the_database_never_deletes_a_case(case: Case) -> None:
    with pytest.raises(Exception, match="Cannot delete"), transaction.atomic():
        Case.objects.filter(pk=case.pk)._raw_delete(DEFAULT_DB_ALIAS)
