"""The laboratory's settings, and what follows from them for a case."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import NotPermitted
from classifier.findings import Mark
from classifier.models import Case, Laboratory
from classifier.selectors.differential import count_cells
from classifier.selectors.sufficiency import reasons_for_more
from classifier.services.laboratory import change_laboratory
from tests.reviewing import MakeCase

SignIn = Callable[[User], Client]

URL = reverse("classifier:laboratory")
FORM = {
    "name": "City Laboratory",
    "mrn_issuer": "CITY",
    "cell_target": "200",
    "platelet_factor": "15",
    "erythroblast_limit": "10",
    "critical_due_minutes": "20",
    "critical_escalation_minutes": "45",
    "adult_from_years": "18",
    "referral_days": "14",
    "emergency_minutes": "60",
    "emergency_judgement_days": "7",
}


def read_as(cell_type: str, times: int) -> list[Mark]:
    return [Mark(cell_type, is_referred=False, human_type="")] * times


@pytest.fixture
def office(client_for: SignIn, administrator: User) -> Client:
    return client_for(administrator)


def test_changes_what_differs_and_audits_it(office: Client) -> None:
    for _ in range(2):  # a form sent twice
        assert office.post(URL, FORM).status_code == 302
    laboratory = Laboratory.current()
    assert (laboratory.name, laboratory.cell_target) == ("City Laboratory", 200)
    assert laboratory.platelet_factor == Decimal(15)
    event = AuditEvent.objects.get(action="laboratory.changed")
    assert event.before is not None
    assert event.after is not None
    assert event.before["cell_target"] == 100
    assert event.after["platelet_factor"] == "15"


def test_refuses_impossible_settings(office: Client) -> None:
    response = office.post(URL, {**FORM, "platelet_factor": "0", "cell_target": "7"})
    assert response.status_code == 422
    assert Laboratory.current().cell_target == 100


def test_nothing_is_passed_on_before_it_is_due(office: Client) -> None:
    response = office.post(URL, {**FORM, "critical_escalation_minutes": "10"})
    assert response.status_code == 422
    assert "no fewer minutes" in response.content.decode()


def test_only_who_manages_the_laboratory_may(technician: User) -> None:
    with pytest.raises(NotPermitted):
        change_laboratory(actor=technician, values={"cell_target": 200})


class TestSufficiency:
    def test_too_few_cells_ask_for_more_fields(self, classified_case: MakeCase) -> None:
        differential = count_cells(classified_case([]), read_as("neutrophil", 30))
        [reason] = reasons_for_more(differential, fields=20)
        assert reason == (
            "30 of 100 leukocytes counted: about 47 more fields like these are needed."
        )
        [reason] = reasons_for_more(differential, fields=0)
        assert reason == "30 of 100 leukocytes counted."

    @pytest.mark.parametrize(("blasts", "asks"), [(18, True), (5, False), (40, False), (0, False)])
    def test_blasts_near_twenty_percent_ask_for_more_cells(
        self, classified_case: MakeCase, blasts: int, asks: bool
    ) -> None:
        marks = [Mark("", is_referred=True, human_type="blast")] * blasts
        marks += read_as("lymphocyte", 100 - blasts)
        reasons = reasons_for_more(count_cells(classified_case([]), marks), fields=10)
        assert bool(reasons) == asks
        assert all("on both sides of 20 %" in reason for reason in reasons)

    def test_the_technician_takes_the_case_back_to_add_images(
        self, classified_case: MakeCase, client_for: SignIn, technician: User
    ) -> None:
        case = classified_case(["neutrophil"])
        desk = client_for(technician)
        page = desk.get(case.get_absolute_url()).content.decode()
        assert "1 of 100 leukocytes counted" in page
        desk.post(reverse("classifier:case_take_back", args=[case.pk]))
        assert Case.objects.get(pk=case.pk).status == CaseStatus.REGISTERED
        assert AuditEvent.objects.filter(action="case.take_back").count() == 1
