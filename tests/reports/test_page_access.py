"""The pages of reports: who gets in beyond the duty that tests/access asks for."""

import uuid

import pytest
from django.urls import reverse

from accounts.enums import Role
from accounts.models import User
from classifier.models import Case
from tests.factories import UserFactory
from tests.reports.conftest import Sign
from tests.reports.pages import ClientFor, address

PAGES = {
    "case_report", "report_detail", "report_pdf", "report_csv", "report_xlsx", "report_json",
    "report_dicom", "report_fhir_document", "report_fhir_transaction", "patient_reports",
    "sign_off", "sign_off_preview", "amend", "report_withdraw",
}  # fmt: skip
OPEN_CASE_ONLY = {"sign_off", "sign_off_preview"}


@pytest.mark.parametrize("role", list(Role))
def test_only_the_pathologist_who_has_the_case_open_sees_the_signing_pages(
    ready_case: Case, client_for: ClientFor, role: Role
) -> None:
    client = client_for(UserFactory.create(role=role))

    for name in OPEN_CASE_ONLY:
        assert client.get(address(name, ready_case)).status_code == 403


def test_what_does_not_exist_is_not_found(pathologist: User, client_for: ClientFor) -> None:
    client = client_for(pathologist)

    for name in PAGES:
        assert client.get(reverse(f"reports:{name}", args=[uuid.uuid4()])).status_code == 404


def test_a_report_is_invisible_to_whom_its_case_is(
    ready_case: Case, sign: Sign, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = sign(ready_case)
    from classifier.querysets import CaseQuerySet

    monkeypatch.setattr(CaseQuerySet, "visible_to", lambda self, user: self.none())
    client = client_for(UserFactory.create(role=Role.PATHOLOGIST))

    for name in sorted(PAGES - {"patient_reports"}):
        assert client.get(address(name, ready_case, report)).status_code == 404
