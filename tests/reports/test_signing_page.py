"""The page of signing: what it shows, what it refuses, what is recorded."""

import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.models import Case
from reports.models import Report
from reports.services import reauthentication
from tests.factories import PASSWORD
from tests.reports.conftest import Sign
from tests.reports.pages import ClientFor, actions, address
from tests.reviewing import MakeCase, cells_of


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
        correct(ready_case, [0], "plasma_cell")

        response = client.post(url, form)

        page = response.content.decode()
        assert response.status_code == 409
        assert "The case was changed since" in page
        assert "Plasma cell" in page
        assert str(form["draft_sha256"]) not in page
        assert client.post(url, signing_form(page)).status_code == 302

    def test_a_wrong_password_does_not_hide_that_the_case_has_changed(
        self, client: Client, url: str, ready_case: Case, correct: Callable[..., object]
    ) -> None:
        form = signing_form(client.get(url).content.decode(), password="wrong")
        assert "The report has changed" not in client.post(url, form).content.decode()
        correct(ready_case, [0], "plasma_cell")

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
