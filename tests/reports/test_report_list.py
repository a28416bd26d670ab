"""The list of signed reports: found by filters, exported whole, verified and recorded."""

import csv
import io
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import openpyxl
import pgtrigger
import pytest
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.models import Patient
from classifier.services.cases import OrderDetails, open_case
from classifier.services.patients import Identity, register_patient
from reports import content as c
from reports.listing import CLASSES, FIELDS, WITHHELD
from reports.models import Report, SignOff
from reports.services import list_export
from tests.clinical import JANE, recent_specimen
from tests.factories import UserFactory
from tests.reports.contents import ROWS, make_content, make_signature

ClientFor = Callable[[User], Client]
MakeSigned = Callable[..., Report]
LIST = "reports:report_list"


@pytest.fixture
def signed(technician: User, pathologist: User, patient: Patient) -> MakeSigned:
    """Store a signed report of a new case that says what the test wants."""

    def store(
        *,
        of: Patient | None = None,
        requester: str = "",
        issued_at: datetime | None = None,
        supersedes: Report | None = None,
        **says: object,
    ) -> Report:
        case = (
            supersedes.case
            if supersedes
            else open_case(
                actor=technician,
                patient=of or patient,
                order=OrderDetails(ordering_clinician=requester),
                specimen=recent_specimen(),
            )
        )
        request = replace(
            make_content().request,
            accession_number=case.accession_number,
            ordering_clinician=requester,
        )
        signature = make_signature(signed_at=issued_at or timezone.now())
        content = make_content(request=request, **says).signed(signature)
        report = Report.objects.create(
            case=case,
            version=2 if supersedes else 1,
            status="corrected" if supersedes else "final",
            reason="Misread." if supersedes else "",
            supersedes=supersedes,
            content=content.to_json(),
            content_sha256=content.content_sha256,
            pdf="reports/none.pdf",
            pdf_sha256="0" * 64,
            issued_at=signature.signed_at,
        )
        SignOff.objects.create(
            report=report,
            signer=pathologist,
            signer_name=pathologist.full_name,
            meaning="approval",
            signed_at=signature.signed_at,
            draft_sha256=content.draft_sha256,
            content_sha256=content.content_sha256,
            pdf_sha256="0" * 64,
            reauthenticated_by="password",
            reauthenticated_at=signature.signed_at,
        )
        return report

    return store


@pytest.fixture
def other_patient(technician: User) -> Patient:
    john = replace(JANE, mrn="MRN00777", family_name="Bloggs", given_name="John")
    assert isinstance(john, Identity)
    return register_patient(actor=technician, identity=john)


@pytest.fixture
def client(pathologist: User, client_for: ClientFor) -> Client:
    return client_for(pathologist)


def listed(client: Client, **asked: object) -> set[str]:
    page = client.get(reverse(LIST), {name: str(value) for name, value in asked.items()})
    assert page.status_code == 200
    return {row.report.case.accession_number for row in page.context["rows"]}


def number(report: Report) -> str:
    return report.case.accession_number


def quiet() -> dict[str, object]:
    """Return what a report without any flag says."""
    rows = tuple(replace(row, flag=None) for row in ROWS)
    return {"differential": rows}


def body(response: HttpResponseBase) -> bytes:
    assert response.status_code == 200, response
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


class TestFinding:
    def test_shows_current_versions_of_the_last_30_days(
        self, client: Client, signed: MakeSigned
    ) -> None:
        first = signed()
        second = signed(supersedes=first)
        old = signed(issued_at=timezone.now() - timedelta(days=40))

        page = client.get(reverse(LIST))

        assert [row.report.pk for row in page.context["rows"]] == [second.pk]
        assert listed(client, first=(timezone.localdate() - timedelta(days=60))) == {
            number(first),
            number(old),
        }

    def test_finds_by_period_in_the_laboratorys_days(
        self, client: Client, signed: MakeSigned
    ) -> None:
        report = signed(issued_at=datetime(2026, 3, 5, 23, 30, tzinfo=UTC))
        day = timezone.localdate(report.issued_at)

        assert listed(client, first=day, last=day) == {number(report)}
        assert listed(client, first=day + timedelta(days=1)) == set()
        assert listed(client, last=day - timedelta(days=1)) == set()

    def test_finds_by_requester_status_and_patient(
        self, client: Client, signed: MakeSigned, other_patient: Patient
    ) -> None:
        asked = signed(requester="Dr. Rossi")
        corrected = signed(supersedes=signed())
        theirs = signed(of=other_patient)

        assert listed(client, requester="rossi") == {number(asked)}
        assert listed(client, status="corrected") == {number(corrected)}
        assert listed(client, patient=other_patient.pk) == {number(theirs)}
        assert listed(client, patient=uuid.uuid4()) == {
            number(asked),
            number(corrected),
            number(theirs),
        }

    def test_finds_what_is_flagged_or_critical(self, client: Client, signed: MakeSigned) -> None:
        flagged = signed()
        signed(**quiet())
        result = c.CriticalResult(
            c.Coded("blast", "Blast"), c.Coded("seen", "seen"), Decimal(17), "{cells}", None, 1,
            "", is_approved=True, is_known=False,
        )  # fmt: skip
        critical = signed(**quiet(), critical=c.CriticalResults((result,), ()))
        white = make_content().white_count
        assert white
        by_count = signed(**quiet(), white_count=replace(white, flag=c.Coded("high", "High")))

        assert listed(client, result="critical") == {number(critical)}
        assert listed(client, result="flagged") == {
            number(flagged),
            number(critical),
            number(by_count),
        }

    def test_finds_a_class_above_a_share(self, client: Client, signed: MakeSigned) -> None:
        report = signed()
        empty = tuple(replace(row, count=0, percent=None) for row in ROWS)
        signed(differential=empty)

        assert listed(client, cell_type="blast", share=17) == {number(report)}
        assert listed(client, cell_type="blast", share="17.5") == set()
        assert listed(client, cell_type="plasma_cell", share=0) == set()

    @pytest.mark.parametrize("query", [{"first": "soon"}, {"share": "-3", "cell_type": "blast"}])
    def test_says_what_it_does_not_understand(self, client: Client, query: dict[str, str]) -> None:
        page = client.get(reverse(LIST), query)

        assert page.context["filter"].form.errors.keys() == {next(iter(query))}
        assert "invalid-feedback" in page.content.decode()

    def test_takes_a_fixed_number_of_queries(
        self,
        client: Client,
        signed: MakeSigned,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(4):
            signed()
        client.get(reverse(LIST))

        with django_assert_max_num_queries(8):
            client.get(reverse(LIST))

    @pytest.mark.parametrize("role", list(Role))
    def test_is_open_to_readers_and_offers_the_export_to_those_who_may(
        self, client_for: ClientFor, signed: MakeSigned, role: Role
    ) -> None:
        signed()

        page = client_for(UserFactory.create(role=role)).get(reverse(LIST))

        reads = role in {Role.TECHNICIAN, Role.PATHOLOGIST, Role.ADMINISTRATOR}
        assert page.status_code == (200 if reads else 403)
        exports = role in {Role.PATHOLOGIST, Role.ADMINISTRATOR}
        assert (reverse("reports:export_list") in page.content.decode()) is exports


class TestExporting:
    def export(self, client: Client, form: str, **asked: object) -> bytes:
        return body(client.post(reverse("reports:export_list"), {"form": form, **asked}))

    def test_all_forms_say_the_same_of_the_same_reports(
        self, client: Client, signed: MakeSigned
    ) -> None:
        reports = [signed(interpretation="=1+1"), signed(**quiet())]
        numbers = {number(report) for report in reports}

        table = self.export(client, "csv").decode("utf-8-sig")
        rows = {row["accession_number"]: row for row in csv.DictReader(io.StringIO(table))}
        lines = self.export(client, "jsonl").splitlines()
        contents = {
            said.request.accession_number: said
            for said in (c.ReportContent.from_json(json.loads(line)) for line in lines)
        }
        book = openpyxl.load_workbook(io.BytesIO(self.export(client, "xlsx")))
        head, *found = book["Reports"].iter_rows(values_only=True)
        sheet = {row[0]: dict(zip(head, row, strict=True)) for row in found}

        assert rows.keys() == contents.keys() == sheet.keys() == numbers
        for key, said in contents.items():
            blast = next(row for row in said.differential if row.cell_type.code == "blast")
            assert Decimal(rows[key]["blast_percent"]) == blast.percent
            assert Decimal(str(sheet[key]["blast_percent"])) == blast.percent
            assert int(rows[key]["blast_count"]) == sheet[key]["blast_count"] == blast.count
            assert rows[key]["neutrophil_flag"] == (sheet[key]["neutrophil_flag"] or "")
            assert rows[key]["content_sha256"] == said.content_sha256
            assert sheet[key]["content_sha256"] == said.content_sha256
            assert str(sheet[key]["birth_date"])[:10] == said.patient.birth_date.isoformat()
        assert rows[number(reports[0])]["interpretation"] == "'=1+1"
        assert sheet[number(reports[0])]["interpretation"] == "=1+1"

    def test_takes_what_the_filter_finds_and_no_more(
        self, client: Client, signed: MakeSigned
    ) -> None:
        signed()
        wanted = signed(requester="Dr. Rossi")

        lines = self.export(client, "jsonl", requester="rossi").splitlines()

        assert [json.loads(line)["request"]["accession_number"] for line in lines] == [
            number(wanted)
        ]

    def test_is_recorded_with_filter_number_and_every_patient(
        self,
        client: Client,
        signed: MakeSigned,
        patient: Patient,
        other_patient: Patient,
        pathologist: User,
    ) -> None:
        signed(), signed(), signed(of=other_patient)

        self.export(client, "csv", status="final")
        self.export(client, "csv", status="final")

        events = AuditEvent.objects.filter(actor=pathologist)
        exported = events.filter(action="report.list_exported")
        assert [event.after for event in exported] == 2 * [
            {"form": "csv", "filter": {"status": "final"}, "reports": 3, "patients": 2}
        ]
        read = events.filter(action="patient.viewed").values_list("patient_id", flat=True)
        assert (len(read), set(read)) == (2, {patient.pk, other_patient.pk})

    @pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
    def test_a_report_that_is_not_as_signed_is_withheld(
        self, client: Client, signed: MakeSigned, form: str
    ) -> None:
        forged, honest = signed(), signed()
        with pgtrigger.ignore("reports.Report:append_only"):
            Report.objects.filter(pk=forged.pk).update(
                content=forged.content | {"interpretation": "All is well, truly."}
            )

        data = self.export(client, form)

        if form == "xlsx":
            sheet = openpyxl.load_workbook(io.BytesIO(data))["Reports"]
            data = repr(list(sheet.iter_rows(values_only=True))).encode()
        assert b"All is well, truly." not in data
        assert WITHHELD.encode() in data
        assert number(honest).encode() in data
        assert AuditEvent.objects.filter(action="report.verification_failed").exists()

    def test_streaming_takes_a_fixed_number_of_queries(
        self,
        client: Client,
        signed: MakeSigned,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(9):
            signed()

        with django_assert_max_num_queries(19):
            self.export(client, "csv")

    def test_a_workbook_has_a_limit_and_says_so(
        self, client: Client, signed: MakeSigned, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(list_export, "MOST_IN_WORKBOOK", 1)
        signed(), signed()

        answer = client.post(
            reverse("reports:export_list"), {"form": "xlsx", "status": "final"}, follow=True
        )

        assert "2 reports are too many for one workbook" in answer.content.decode()
        assert not AuditEvent.objects.filter(action="report.list_exported").exists()

    def test_is_refused_to_those_without_the_duty(
        self, technician: User, client_for: ClientFor, signed: MakeSigned
    ) -> None:
        signed()

        answer = client_for(technician).post(reverse("reports:export_list"), {"form": "csv"})

        assert answer.status_code == 403
        assert not AuditEvent.objects.filter(action="report.list_exported").exists()

    def test_only_reports_of_visible_cases_are_exported(
        self, client: Client, signed: MakeSigned, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from classifier.querysets import CaseQuerySet

        signed()
        monkeypatch.setattr(CaseQuerySet, "visible_to", lambda self, user: self.none())

        assert self.export(client, "jsonl") == b""


def test_every_leukocyte_class_has_columns() -> None:
    from classifier.enums import LEUKOCYTES

    names = {field.name for field in FIELDS}

    assert set(CLASSES) == {member.value for member in LEUKOCYTES}
    assert {f"{code}_{part}" for code in CLASSES for part in ("count", "percent")} <= names
