"""The pages of reports: who gets in, what they see, what is recorded."""

import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pgtrigger
import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from django.urls import URLPattern, reverse
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.models import Case
from classifier.services import reviews
from reports.models import Report
from reports.services import reauthentication
from reports.urls import urlpatterns
from tests.factories import PASSWORD, UserFactory
from tests.reports.conftest import Sign
from tests.reviewing import MakeCase, cells_of

ClientFor = Callable[[User], Client]

T, P, A, C, L = (
    Role.TECHNICIAN,
    Role.PATHOLOGIST,
    Role.ADMINISTRATOR,
    Role.CONSULTANT,
    Role.LEARNER,
)
READERS = {T, P, A}
# Name of the URL -> roles that may open it; the others get 403. None sees what isn't theirs.
ALLOWED: dict[str, set[Role]] = {
    "case_report": READERS,
    "report_detail": READERS,
    "report_pdf": READERS,
    "report_csv": READERS,
    "patient_reports": READERS,
    "sign_off": {P},
    "sign_off_preview": {P},
    "amend": {P},
}
OPEN_CASE_ONLY = {"sign_off", "sign_off_preview"}


def address(name: str, case: Case, report: Report | None = None) -> str:
    if name.startswith("report_"):
        assert report is not None
        return reverse(f"reports:{name}", args=[report.pk])
    pk = case.patient_id if name == "patient_reports" else case.pk
    return reverse(f"reports:{name}", args=[pk])


def signing_form(page: str, **changed: object) -> dict[str, object]:
    """Return what a browser would send of the signing page."""
    found = re.search(r'name="draft_sha256" value="([0-9a-f]{64})"', page)
    assert found
    return {
        "draft_sha256": found[1],
        "meaning": "approval",
        "password": PASSWORD,
        **changed,
    }


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("at").values_list("action", flat=True))


def test_every_url_of_the_app_is_in_the_matrix() -> None:
    names = {pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)}

    assert names == set(ALLOWED)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_its_own_pages_of_a_signed_report(
    ready_case: Case, sign: Sign, client_for: ClientFor, role: Role
) -> None:
    report = sign(ready_case)
    client = client_for(UserFactory.create(role=role))

    for name in sorted(set(ALLOWED) - OPEN_CASE_ONLY):
        response = client.get(address(name, ready_case, report))
        expected = (200, 302) if role in ALLOWED[name] else (403,)
        assert response.status_code in expected, (name, response.status_code)


@pytest.mark.parametrize("role", list(Role))
def test_only_the_pathologist_who_has_the_case_open_sees_the_signing_pages(
    ready_case: Case, client_for: ClientFor, role: Role
) -> None:
    client = client_for(UserFactory.create(role=role))

    for name in OPEN_CASE_ONLY:
        assert client.get(address(name, ready_case)).status_code == 403


def test_nobody_gets_in_without_signing_in(ready_case: Case, sign: Sign) -> None:
    report = sign(ready_case)

    for name in ALLOWED:
        response = Client().get(address(name, ready_case, report))
        assert response.status_code == 302
        assert settings.LOGIN_URL in response["Location"] or "login" in response["Location"]


def test_what_does_not_exist_is_not_found(pathologist: User, client_for: ClientFor) -> None:
    client = client_for(pathologist)

    for name in ALLOWED:
        assert client.get(reverse(f"reports:{name}", args=[uuid.uuid4()])).status_code == 404


def test_a_report_is_invisible_to_whom_its_case_is(
    ready_case: Case, sign: Sign, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = sign(ready_case)
    from classifier.querysets import CaseQuerySet

    monkeypatch.setattr(CaseQuerySet, "visible_to", lambda self, user: self.none())
    client = client_for(UserFactory.create(role=P))

    for name in sorted(set(ALLOWED) - {"patient_reports"}):
        assert client.get(address(name, ready_case, report)).status_code == 404


class TestSigning:
    @pytest.fixture
    def client(self, pathologist: User, client_for: ClientFor) -> Client:
        return client_for(pathologist)

    @pytest.fixture
    def url(self, ready_case: Case) -> str:
        return address("sign_off", ready_case)

    def test_shows_what_will_be_signed_and_signs_it(
        self, client: Client, url: str, ready_case: Case
    ) -> None:
        page = client.get(url).content.decode()
        assert "NOT SIGNED" in page
        assert "Paul Pathologist, MD" in page

        response = client.post(url, signing_form(page), follow=True)

        report = Report.objects.get(case=ready_case)
        assert response.redirect_chain == [(report.get_absolute_url(), 302)]
        shown = response.content.decode()
        assert "Electronically signed" in shown
        assert report.content_sha256 in shown

    def test_a_wrong_password_changes_nothing_and_is_recorded(
        self, client: Client, url: str, ready_case: Case
    ) -> None:
        page = client.get(url).content.decode()

        response = client.post(url, signing_form(page, password="wrong"))

        ready_case.refresh_from_db()
        assert response.status_code == 422
        assert "The password is not right" in response.content.decode()
        assert ready_case.status == CaseStatus.IN_REVIEW
        assert not Report.objects.exists()
        assert "user.reauthentication_failed" in actions()
        assert "wrong" not in str(list(AuditEvent.objects.values_list("payload", flat=True)[:1]))

    def test_too_many_wrong_passwords_lock_even_the_right_one(
        self, client: Client, url: str
    ) -> None:
        form = signing_form(client.get(url).content.decode(), password="wrong")
        for _ in range(settings.AXES_FAILURE_LIMIT):
            client.post(url, form)

        response = client.post(url, form | {"password": PASSWORD}, follow=True)

        assert not Report.objects.exists()
        assert "locked" in response.content.decode().lower()

    def test_a_fault_of_the_check_does_not_look_like_a_wrong_password(
        self, client: Client, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise DatabaseError("gone")

        form = signing_form(client.get(url).content.decode())
        monkeypatch.setattr(reauthentication, "verify_password", fail)

        response = client.post(url, form)

        page = response.content.decode()
        assert response.status_code == 503
        assert "fault in the system" in page
        assert "password is not right" not in page
        assert not Report.objects.exists()

    def test_a_stale_preview_is_shown_again(
        self, client: Client, url: str, ready_case: Case, correct: Callable[..., object]
    ) -> None:
        form = signing_form(client.get(url).content.decode())
        correct(ready_case, [0], "blast")

        response = client.post(url, form)

        page = response.content.decode()
        assert response.status_code == 409
        assert "The case was changed since" in page
        assert "Blast" in page
        assert str(form["draft_sha256"]) not in page
        assert client.post(url, signing_form(page)).status_code == 302

    def test_a_wrong_password_does_not_hide_that_the_case_has_changed(
        self, client: Client, url: str, ready_case: Case, correct: Callable[..., object]
    ) -> None:
        form = signing_form(client.get(url).content.decode(), password="wrong")
        assert "The report has changed" not in client.post(url, form).content.decode()
        correct(ready_case, [0], "blast")

        assert "The report has changed" in client.post(url, form).content.decode()

    def test_says_beforehand_what_is_missing(
        self, client: Client, classified_case: MakeCase
    ) -> None:
        case = classified_case(["neutrophil", "unidentified"], in_review=True)
        url = address("sign_off", case)

        page = client.get(url).content.decode()
        response = client.post(url, signing_form(page))

        assert "1 referred cell is still" in page
        assert response.status_code == 422
        assert not Report.objects.exists()

    def test_needs_a_meaning(self, client: Client, url: str) -> None:
        form = signing_form(client.get(url).content.decode(), meaning="because")

        assert client.post(url, form).status_code == 422
        assert not Report.objects.exists()

    def test_submitting_twice_leads_to_the_one_report(self, client: Client, url: str) -> None:
        form = signing_form(client.get(url).content.decode())

        first, second = client.post(url, form), client.post(url, form)

        assert first["Location"] == second["Location"] == Report.objects.get().get_absolute_url()

    def test_prints_the_chosen_cells_and_keeps_the_choice(
        self, client: Client, url: str, ready_case: Case
    ) -> None:
        chosen = str(cells_of(ready_case)[5].pk)
        page = client.get(url, {"chosen": "on", "cells": [chosen]}).content.decode()
        assert f'<input type="hidden" name="cells" value="{chosen}">' in page

        client.post(url, signing_form(page, chosen="on", cells=[chosen]))

        assert [item.cell_id for item in Report.objects.get().says.pictures] == [chosen]

    def test_a_foreign_cell_is_refused(self, client: Client, url: str) -> None:
        page = client.get(url, {"chosen": "on", "cells": [str(uuid.uuid4())]}).content.decode()

        assert "Select a valid choice" in page

    def test_previews_the_pdf(self, client: Client, ready_case: Case) -> None:
        response = client.get(address("sign_off_preview", ready_case))

        assert response["Content-Type"] == "application/pdf"
        assert response.content.startswith(b"%PDF-1.7")

    def test_an_image_that_cannot_be_read_is_said_plainly(
        self, client: Client, url: str, ready_case: Case
    ) -> None:
        Path(cells_of(ready_case)[0].image.file.path).unlink()

        for address_ in (url, address("sign_off_preview", ready_case)):
            response = client.get(address_, follow=True)
            assert "A cell image can&#x27;t be read" in response.content.decode()

    def test_a_signed_case_leads_to_its_report(
        self, client: Client, url: str, ready_case: Case, sign: Sign
    ) -> None:
        report = sign(ready_case)

        assert client.get(url)["Location"] == report.get_absolute_url()


class TestReading:
    def test_hands_out_the_signed_bytes_and_records_it(
        self, ready_case: Case, sign: Sign, client_for: ClientFor, technician: User
    ) -> None:
        report = sign(ready_case)
        client = client_for(technician)

        pdf = client.get(address("report_pdf", ready_case, report))
        csv = client.get(address("report_csv", ready_case, report))

        with report.pdf.open("rb") as file:
            assert pdf.content == file.read()
        assert csv.content.startswith(b"\xef\xbb\xbfsection,item")
        assert f'{ready_case.accession_number}-v1.csv"' in csv["Content-Disposition"]
        assert "no-store" in pdf["Cache-Control"]
        events = AuditEvent.objects.filter(action="report.downloaded", actor=technician)
        assert {event.after and event.after["form"] for event in events} == {"pdf", "csv"}
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
            path.write_bytes(path.read_bytes().replace(b"%%EOF", b"%%EOL"))
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

        for name in ("report_csv", "report_pdf", "report_detail"):
            assert client.get(address(name, ready_case, report)).status_code == 409

    def test_a_replaced_cell_image_is_noticed(
        self, ready_case: Case, sign: Sign, client_for: ClientFor, technician: User
    ) -> None:
        report = sign(ready_case)
        first, second = (cells_of(ready_case)[place].image.file.path for place in (0, 5))
        Path(first).write_bytes(Path(second).read_bytes())

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
        correct(ready_case, [0], "blast")
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


class TestAmending:
    def test_opens_the_case_with_a_reason(
        self, ready_case: Case, sign: Sign, pathologist: User, client_for: ClientFor
    ) -> None:
        sign(ready_case)
        client = client_for(pathologist)
        url = address("amend", ready_case)

        assert client.post(url, {"reason": " "}).status_code == 422
        response = client.post(url, {"reason": "Misread."})

        ready_case.refresh_from_db()
        assert response.status_code == 302
        assert (ready_case.status, ready_case.status_reason) == (CaseStatus.AMENDING, "Misread.")

    def test_a_case_without_report_cannot_be_amended(
        self, ready_case: Case, pathologist: User, client_for: ClientFor
    ) -> None:
        response = client_for(pathologist).get(address("amend", ready_case))

        assert response["Location"] == ready_case.get_absolute_url()

    def test_the_report_page_offers_it_to_pathologists_alone(
        self,
        ready_case: Case,
        sign: Sign,
        pathologist: User,
        technician: User,
        client_for: ClientFor,
    ) -> None:
        report = sign(ready_case)
        url = address("amend", ready_case)

        assert url in client_for(pathologist).get(report.get_absolute_url()).content.decode()
        assert url not in client_for(technician).get(report.get_absolute_url()).content.decode()
