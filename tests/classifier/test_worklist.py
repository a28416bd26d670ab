"""The worklist: who sees what, in which order, and what a scan opens."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import User
from classifier import accession
from classifier.enums import CaseStatus, Priority
from classifier.models import Case, Patient
from classifier.selectors import worklists
from classifier.services import reviews
from classifier.services.cases import OrderDetails, open_case
from classifier.services.patients import Identity, register_patient
from tests.clinical import recent_specimen
from tests.factories import UserFactory
from tests.pages import words_of
from tests.reviewing import MakeCase, cells_of

ClientFor = Callable[[User], Client]
WORKLIST = reverse("classifier:worklist")
SEARCH = reverse("classifier:search")


@pytest.fixture
def make_case(technician: User, patient: Patient) -> Callable[..., Case]:
    """Return a maker of an empty case with a status, a priority and an age."""

    def make(
        status: str = CaseStatus.AWAITING_REVIEW,
        priority: str = Priority.ROUTINE,
        minutes: int = 0,
        **fields: object,
    ) -> Case:
        case = open_case(
            actor=technician,
            patient=patient,
            order=OrderDetails(priority=priority),
            specimen=recent_specimen(),
        )
        registered_at = timezone.now() - timedelta(minutes=minutes)
        submitter = None if status == CaseStatus.REGISTERED else technician
        Case.objects.filter(pk=case.pk).update(
            status=status, registered_at=registered_at, submitted_by=submitter, **fields
        )
        case.refresh_from_db()
        return case

    return make


def listed(user: User, tab: str) -> list[Case]:
    return list(worklists.list_cases(user, tab))


def counts_of(user: User) -> dict[str, int]:
    return {counted.tab.key: counted.count for counted in worklists.count_tabs(user)}


def test_stat_comes_first_then_who_waits_longest(
    make_case: Callable[..., Case], pathologist: User
) -> None:
    routine = make_case(minutes=500)
    urgent = make_case(priority=Priority.URGENT, minutes=5)
    stat = make_case(priority=Priority.STAT, minutes=1)
    older_stat = make_case(priority=Priority.STAT, minutes=2)
    assert listed(pathologist, "review") == [older_stat, stat, urgent, routine]


def test_each_case_is_in_the_views_of_its_state(
    make_case: Callable[..., Case], pathologist: User, technician: User
) -> None:
    make_case(CaseStatus.REGISTERED)
    make_case(CaseStatus.IN_CLASSIFICATION)
    make_case(CaseStatus.CLASSIFICATION_FAILED)
    mine = make_case()
    reviews.open_review(case_id=mine.pk, actor=pathologist)
    returned = make_case()
    reviews.open_review(case_id=returned.pk, actor=pathologist)
    reviews.return_to_technician(case_id=returned.pk, actor=pathologist, reason="Blurred.")
    now = timezone.now()
    make_case(CaseStatus.SIGNED_OFF, signed_by=pathologist, signed_at=now)
    make_case(CaseStatus.SIGNED_OFF, signed_by=pathologist, signed_at=now - worklists.RECENT * 1.01)
    make_case(CaseStatus.REJECTED)
    assert counts_of(pathologist) == {
        "review": 1,
        "critical": 0,
        "mine": 1,
        "classifying": 1,
        "failed": 1,
        "returned": 1,
        "signed": 1,
    }
    assert counts_of(technician)["drafts"] == 1
    for tab, count in counts_of(technician).items():
        assert len(listed(technician, tab)) == count


def test_a_row_says_what_waits_and_who_has_it(
    classified_case: MakeCase, pathologist: User, client_for: ClientFor
) -> None:
    case = classified_case(["neutrophil", "unidentified", ""])
    [row] = worklists.describe_cases(pathologist, [case])
    assert (row.images, row.referred, row.reviewer, row.can_open) == (3, 2, "", True)
    reviews.open_review(case_id=case.pk, actor=pathologist)
    case.refresh_from_db()
    [row] = worklists.describe_cases(pathologist, [case])
    assert (row.reviewer, row.is_mine, row.can_open) == ("Paul Pathologist", True, False)
    page = client_for(pathologist).get(WORKLIST).content.decode()
    assert "Continue" in page
    assert str(case.accession_number) in page


def test_the_submitter_gets_no_review_button(classified_case: MakeCase) -> None:
    case = classified_case(["neutrophil"])
    submitter = UserFactory.create(role=Role.PATHOLOGIST)
    case.submitted_by = submitter
    [row] = worklists.describe_cases(submitter, [case])
    assert not row.can_open


@pytest.mark.parametrize("size", [1, 10])
def test_the_number_of_queries_does_not_grow_with_the_list(
    make_case: Callable[..., Case],
    pathologist: User,
    client_for: ClientFor,
    size: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(size):
        make_case()
    client = client_for(pathologist)
    with django_assert_max_num_queries(21):
        assert client.get(WORKLIST).status_code == 200


def test_long_lists_come_in_pages(
    make_case: Callable[..., Case], pathologist: User, client_for: ClientFor
) -> None:
    for _ in range(27):
        make_case()
    client = client_for(pathologist)
    assert len(client.get(WORKLIST).context["rows"]) == 25
    assert len(client.get(WORKLIST, {"view": "review", "page": "2"}).context["rows"]) == 2


def test_a_refresh_returns_the_list_alone(pathologist: User, client_for: ClientFor) -> None:
    response = client_for(pathologist).get(WORKLIST, headers={"HX-Request": "true"})
    page = response.content.decode()
    assert page.lstrip().startswith('<div id="worklist"')
    assert "Nothing waits for review" in page


@pytest.mark.parametrize(
    ("person", "first"),
    [("pathologist", "review"), ("technician", "drafts"), ("administrator", "review")],
)
def test_everybody_starts_where_their_work_is(
    person: str, first: str, client_for: ClientFor, request: pytest.FixtureRequest
) -> None:
    response = client_for(request.getfixturevalue(person)).get(WORKLIST)
    assert response.context["chosen"].key == first


def test_a_learner_sees_no_patient(
    make_case: Callable[..., Case], learner: User, client_for: ClientFor
) -> None:
    make_case()
    page = words_of(client_for(learner).get(WORKLIST))
    assert "Your role has no worklist" in page
    assert "Doe" not in page


def test_a_stranger_is_asked_to_log_in(client: Client) -> None:
    assert client.get(WORKLIST).status_code == 302


# Scanning ------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["{}", " {} ", "{}-1"])
def test_a_scanned_label_opens_the_case(
    classified_case: MakeCase, pathologist: User, client_for: ClientFor, written: str
) -> None:
    case = classified_case(["neutrophil"])
    for text in (case.accession_number, case.accession_number.lower().replace("-", "")):
        response = client_for(pathologist).post(SEARCH, {"q": written.format(text)})
        assert response["Location"] == reverse("classifier:review", args=[case.pk])


def test_a_technician_is_led_to_the_case_instead(
    classified_case: MakeCase, technician: User, client_for: ClientFor
) -> None:
    case = classified_case(["neutrophil"])
    response = client_for(technician).post(SEARCH, {"q": case.accession_number})
    assert response["Location"] == case.get_absolute_url()


def test_a_wrong_check_character_is_told_plainly(
    case: Case, pathologist: User, client_for: ClientFor
) -> None:
    number = case.accession_number
    wrong = number[:-1] + ("A" if number[-1] != "A" else "B")
    page = client_for(pathologist).post(SEARCH, {"q": wrong}).content.decode()
    assert "its check character is wrong" in page
    assert wrong in page


def test_a_right_number_without_a_case_is_told_too(pathologist: User, case: Case) -> None:
    unused = accession.compose(2001, 999999)
    assert worklists.resolve_scan(pathologist, unused).problem == f"There is no case {unused} here."


@pytest.mark.parametrize("text", ["", "Doe", "HV26", "HV26-00001", "MRN00123"])
def test_other_text_is_no_scan(pathologist: User, text: str) -> None:
    assert worklists.resolve_scan(pathologist, text) == worklists.Scan()


@pytest.mark.parametrize("text", ["doe", "Jane Doe", "MRN00123", "HV"])
def test_finds_cases_by_name_mrn_and_the_beginning_of_the_number(
    case: Case, pathologist: User, client_for: ClientFor, text: str
) -> None:
    page = client_for(pathologist).post(SEARCH, {"q": text}).content.decode()
    assert case.accession_number in page


def test_what_is_searched_for_is_never_in_an_address(
    case: Case, pathologist: User, client_for: ClientFor
) -> None:
    page = client_for(pathologist).get(SEARCH, {"q": "Doe"}).content.decode()
    assert case.accession_number not in page


def test_a_stranger_cannot_search_out_cases(
    case: Case, learner: User, client_for: ClientFor
) -> None:
    assert client_for(learner).post(SEARCH, {"q": case.accession_number}).status_code == 403
    assert worklists.resolve_scan(learner, case.accession_number).case is None


def test_a_child_of_the_same_name_is_another_row(
    case: Case, technician: User, pathologist: User, client_for: ClientFor
) -> None:
    child = register_patient(
        actor=technician,
        identity=Identity("MRN99", "HVLAB", "Doe", "Jane", date(2020, 1, 1), "female"),
    )
    other = open_case(
        actor=technician, patient=child, order=OrderDetails(), specimen=recent_specimen()
    )
    page = client_for(pathologist).post(SEARCH, {"q": "Doe"}).content.decode()
    assert case.accession_number in page
    assert other.accession_number in page


def test_opening_from_the_list_claims_the_case(
    classified_case: MakeCase, pathologist: User, client_for: ClientFor
) -> None:
    case = classified_case(["neutrophil"])
    response = client_for(pathologist).post(reverse("classifier:review_open", args=[case.pk]))
    assert response["Location"] == reverse("classifier:review", args=[case.pk])
    case.refresh_from_db()
    assert case.status == CaseStatus.IN_REVIEW
    assert len(cells_of(case)) == 1
