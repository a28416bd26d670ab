"""Values that an analyser sends after signing, and how they come into a corrected report."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.enums import CaseStatus
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted, TransitionRefused
from classifier.models import AnalyserResult, Case, TakenResult
from classifier.services import reviews
from classifier.services.analyser import Measured, add_results
from classifier.services.late_results import amend_with_results, take_results
from reports.drafting import draft_report
from tests.factories import UserFactory
from tests.reports.conftest import Sign
from tests.reports.messages import read, results
from tests.reports.pages import address

ClientFor = Callable[[User], Client]


@pytest.fixture
def signed_case(ready_case: Case, sign: Sign) -> Case:
    """A signed case whose white count and platelets came a moment later."""
    sign(ready_case)
    moment = timezone.now()
    add_results(
        case_id=ready_case.pk,
        actor=User.system(),
        source="XN-1000 SN123",
        message_id=ready_case.pk,
        results=[
            Measured(0, "wbc", Decimal("6.50"), moment, "final", "WBC", "6.5"),
            Measured(1, "platelets", Decimal("210.00"), moment, "final", "PLT", "210"),
        ],
    )
    ready_case.refresh_from_db()
    return ready_case


def late_ids(case: Case) -> list[uuid.UUID]:
    return list(case.analyser_results.order_by("position").values_list("pk", flat=True))


def test_nothing_late_counts_before_it_is_taken(signed_case: Case, pathologist: User) -> None:
    reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="Late white count.")
    signed_case.refresh_from_db()
    draft = draft_report(signed_case, cell_ids=[])
    assert (draft.white_count, draft.analyser_results) == (None, ())


def test_taken_values_stand_in_the_corrected_report_and_its_message(
    signed_case: Case, pathologist: User, sign: Sign
) -> None:
    amend_with_results(
        case_id=signed_case.pk, actor=pathologist, reason="Late.", result_ids=late_ids(signed_case)
    )
    signed_case.refresh_from_db()
    assert signed_case.wbc_count == Decimal("6.50")
    report = sign(signed_case)
    assert report.says.amendment is not None
    items = {change.item for change in report.says.amendment.changes}
    assert {"Leukocytes (WBC)", "Platelets, by analyser", "Neutrophil"} <= items
    message = results(read(report.says))
    assert (str(message["6690-2"][5]), str(message["6690-2"][11])) == ("6.50", "C")
    assert (str(message["777-3"][5]), str(message["777-3"][11])) == ("210.00", "C")
    event = AuditEvent.objects.get(action="case.results_taken")
    assert event.actor == pathologist
    assert event.after is not None
    assert event.after["values"] == {"wbc": "6.50", "platelets": "210.00"}


def test_taking_twice_takes_once(signed_case: Case, pathologist: User) -> None:
    reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="Late.")
    ids = late_ids(signed_case)
    assert len(take_results(case_id=signed_case.pk, actor=pathologist, result_ids=ids)) == 2
    assert take_results(case_id=signed_case.pk, actor=pathologist, result_ids=ids) == []
    assert TakenResult.objects.count() == 2
    with pytest.raises(GuardFailed, match="taken into this amendment"):
        reviews.withdraw_amendment(case_id=signed_case.pk, actor=pathologist)


def test_only_who_amends_takes_and_only_what_is_late(signed_case: Case, pathologist: User) -> None:
    ids = late_ids(signed_case)
    with pytest.raises(TransitionRefused):
        take_results(case_id=signed_case.pk, actor=pathologist, result_ids=ids)
    reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="Late.")
    with pytest.raises(NotPermitted):
        take_results(
            case_id=signed_case.pk, actor=UserFactory.create(role="pathologist"), result_ids=ids
        )
    with pytest.raises(EditConflict):
        take_results(case_id=signed_case.pk, actor=pathologist, result_ids=[signed_case.pk])
    assert not TakenResult.objects.exists()


def test_of_two_late_values_the_later_is_offered(signed_case: Case, pathologist: User) -> None:
    first = AnalyserResult.objects.get(analyte="wbc")
    add_results(
        case_id=signed_case.pk, actor=User.system(), source="XN", message_id=uuid.uuid4(),
        results=[Measured(0, "wbc", Decimal("6.80"), first.measured_at + timedelta(milliseconds=1),
                          "corrected", "WBC", "6.8")],
    )  # fmt: skip
    reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="Late.")
    with pytest.raises(EditConflict):
        take_results(case_id=signed_case.pk, actor=pathologist, result_ids=[first.pk])


def test_the_amend_page_offers_late_values(
    signed_case: Case, pathologist: User, client_for: ClientFor
) -> None:
    client = client_for(pathologist)
    url = address("amend", signed_case)
    form = client.get(url).context["form"]
    labels = [label for _, label in form.fields["results"].choices]
    assert labels[0].startswith("Leukocytes (WBC)")
    client.post(url, {"reason": "Late.", "results": [str(pk) for pk in late_ids(signed_case)]})
    signed_case.refresh_from_db()
    assert (signed_case.status, signed_case.wbc_count) == (CaseStatus.AMENDING, Decimal("6.50"))


def test_the_review_page_offers_what_came_during_the_amendment(
    signed_case: Case, pathologist: User, client_for: ClientFor
) -> None:
    reviews.amend(case_id=signed_case.pk, actor=pathologist, reason="Late.")
    client = client_for(pathologist)
    url = reverse("classifier:review_take_results", args=[signed_case.pk])
    page = client.get(reverse("classifier:review", args=[signed_case.pk])).content.decode()
    assert f'action="{url}"' in page
    assert client.post(url, {"results": ["nonsense"]}).status_code == 302
    assert not TakenResult.objects.exists()
    client.post(url, {"results": [str(pk) for pk in late_ids(signed_case)]})
    assert TakenResult.objects.count() == 2
