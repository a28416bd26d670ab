"""The page of amending: who is offered it, and what it opens."""

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case
from tests.reports.conftest import Sign
from tests.reports.pages import ClientFor, address


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
