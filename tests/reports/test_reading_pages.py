"""The pages of a signed report: what readers see, and what is recorded."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pgtrigger
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from classifier.models import Case
from classifier.services import reviews
from reports.models import Report
from tests.reports.conftest import Sign
from tests.reports.pages import ClientFor, actions, address
from tests.reviewing import cells_of
from tests.spoiling import spoil


class TestReading:
    def test_hands_out_the_signed_bytes_and_records_it(
        self, ready_case: Case, sign: Sign, client_for: ClientFor, technician: User
    ) -> None:
        report = sign(ready_case)
        client = client_for(technician)

        pdf = client.get(address("report_pdf", ready_case, report))
        csv = client.get(address("report_csv", ready_case, report))
        xlsx = client.get(address("report_xlsx", ready_case, report))
        as_json = client.get(address("report_json", ready_case, report))

        with report.pdf.open("rb") as file:
            assert pdf.content == file.read()
        assert csv.content.startswith(b"\xef\xbb\xbfsection,item")
        assert f'{ready_case.accession_number}-v1.csv"' in csv["Content-Disposition"]
        assert "no-store" in pdf["Cache-Control"]
        events = AuditEvent.objects.filter(action="report.downloaded", actor=technician)
        assert xlsx.content.startswith(b"PK")
        assert hashlib.sha256(as_json.content).hexdigest() == report.content_sha256
        forms = {event.after and event.after["form"] for event in events}
        assert forms == {"pdf", "csv", "xlsx", "json"}
        assert {event.patient_id for event in events} == {ready_case.patient_id}

    def test_reading_the_page_is_recorded(
        self, ready_case: Case, sign: Sign, client_for: ClientFor, administrator: User
    ) -> None:
        report = sign(ready_case)

        client_for(administrator).get(address("report_detail", ready_case, report))

        assert AuditEvent.objects.filter(action="patient.viewed", actor=administrator).exists()

    @pytest.mark.parametrize("damage", ["other bytes", "no file"])
    def test_a_document_that_is_not_the_signed_one_is_refused(
        self, ready_case: Case, sign: Sign, client_for: ClientFor, technician: User, damage: str
    ) -> None:
        report = sign(ready_case)
        path = Path(report.pdf.path)
        if damage == "other bytes":
            spoil(path)
        else:
            path.unlink()
        client = client_for(technician)

        for name in ("report_pdf", "report_detail"):
            response = client.get(address(name, ready_case, report))
            assert response.status_code == 409
            assert "is not handed out" in response.content.decode()
        assert "report.verification_failed" in actions()
        assert "report.downloaded" not in actions()

    @pytest.mark.parametrize("forgery", [{"interpretation": "Nothing to see."}, {"version": "1"}])
    def test_content_that_is_not_the_signed_one_is_refused(
        self,
        ready_case: Case,
        sign: Sign,
        client_for: ClientFor,
        technician: User,
        forgery: dict[str, str],
    ) -> None:
        report = sign(ready_case)
        with pgtrigger.ignore("reports.Report:append_only"):
            Report.objects.filter(pk=report.pk).update(content=report.content | forgery)
        client = client_for(technician)

        for name in ("report_csv", "report_xlsx", "report_json", "report_pdf", "report_detail"):
            assert client.get(address(name, ready_case, report)).status_code == 409

    def test_a_replaced_cell_image_is_noticed(
        self, ready_case: Case, sign: Sign, client_for: ClientFor, technician: User
    ) -> None:
        report = sign(ready_case)
        first, second = (cells_of(ready_case)[place].image.file for place in (0, 5))
        with second.open("rb") as other:
            data = other.read()
        name = str(first.name)
        default_storage.delete(name)
        default_storage.save(name, ContentFile(data))

        response = client_for(technician).get(address("report_detail", ready_case, report))

        assert response.status_code == 409
        assert "not the one that was signed" in response.content.decode()

    def test_a_superseded_version_says_so_and_leads_on(
        self,
        ready_case: Case,
        sign: Sign,
        correct: Callable[..., object],
        pathologist: User,
        client_for: ClientFor,
    ) -> None:
        first = sign(ready_case)
        reviews.amend(case_id=ready_case.pk, actor=pathologist, reason="Misread.")
        correct(ready_case, [0], "plasma_cell")
        second = sign(ready_case)
        client = client_for(pathologist)

        old = client.get(first.get_absolute_url()).content.decode()
        new = client.get(second.get_absolute_url()).content.decode()
        listed = client.get(address("patient_reports", ready_case)).content.decode()

        assert "Superseded." in old
        assert second.get_absolute_url() in old
        assert "Superseded." not in new
        assert "CORRECTED REPORT, version 2" in new
        assert listed.count("Superseded") == 1
        assert (
            client.get(address("case_report", ready_case))["Location"] == second.get_absolute_url()
        )

    def test_listing_reports_takes_a_fixed_number_of_queries(
        self,
        ready_case: Case,
        sign: Sign,
        client_for: ClientFor,
        administrator: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        sign(ready_case)
        client = client_for(administrator)
        url = address("patient_reports", ready_case)
        client.get(url)

        with django_assert_max_num_queries(12):
            client.get(url)
