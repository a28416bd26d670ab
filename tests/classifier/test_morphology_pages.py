"""The morphology tab of the review page, its endpoints, and the laboratory's page of features."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import User
from classifier.models import Case, MorphologyFeature, MorphologyFinding
from classifier.selectors.morphology import features_in_force, latest_findings, list_lines
from tests.factories import UserFactory
from tests.reviewing import MakeCase

ClientFor = Callable[[User], Client]


@pytest.fixture
def open_case(classified_case: MakeCase) -> Case:
    return classified_case(["neutrophil"], in_review=True)


@pytest.fixture
def reviewer(pathologist: User, client_for: ClientFor) -> Client:
    return client_for(pathologist)


def url(name: str, case: Case) -> str:
    return reverse(f"classifier:{name}", args=[case.pk])


def send(client: Client, address: str, **payload: Any) -> Any:
    payload = {"action_id": str(uuid.uuid4()), **payload}
    return client.post(address, json.dumps(payload), content_type="application/json")


class TestTab:
    def test_the_reviewer_gets_buttons_and_others_only_words(
        self, open_case: Case, reviewer: Client, client_for: ClientFor
    ) -> None:
        send(reviewer, url("review_grades", open_case), code="target_cells", grade=2)
        page = reviewer.get(url("review", open_case)).content.decode()
        assert 'role="radio" aria-checked="true" aria-label="2+, moderate"' in page
        colleague = client_for(UserFactory.create(role=Role.PATHOLOGIST))
        seen = colleague.get(url("review", open_case)).content.decode()
        assert "<dt>Target cells</dt><dd><strong>2+</strong>" in seen
        assert 'role="radio"' not in seen

    def test_a_grade_that_a_feature_does_not_use_is_not_offered(
        self, open_case: Case, reviewer: Client
    ) -> None:
        response = reviewer.get(url("review", open_case))
        rows = {
            row.code: [used for *_, used in row.choices]
            for line in response.context["morphology"]
            for row in line.rows
        }
        assert rows["target_cells"] == [True, False, True, True]
        assert rows["schistocytes"] == [True] * 4

    def test_reads_a_bounded_number_of_rows(
        self, open_case: Case, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(6):
            for line in list_lines(open_case):
                assert [row.note for row in line.rows]


class TestPlainForms:
    def test_a_grade_a_count_and_taking_back_work_without_scripts(
        self, open_case: Case, reviewer: Client
    ) -> None:
        def post(name: str, **form: str) -> None:
            form = {"action_id": str(uuid.uuid4()), **form}
            response = reviewer.post(url(name, open_case), form)
            assert response["Location"].endswith("#side-morphology")

        post("review_grade", code="target_cells", grade="2", count="", comment="")
        assert latest_findings(open_case)["target_cells"].grade == 2
        post("review_grade", code="target_cells", grade="", count="25", comment="few fields")
        found = latest_findings(open_case)["target_cells"]
        assert (found.grade, found.comment) == (3, "few fields")
        post("review_grade_withdraw", code="target_cells")
        assert latest_findings(open_case) == {}
        post("review_rest_absent", line="platelet")
        assert list_lines(open_case)[2].is_normal

    def test_nonsense_is_said_to_be_so(self, open_case: Case, reviewer: Client) -> None:
        form = {"action_id": str(uuid.uuid4()), "code": "target_cells", "count": "400"}
        response = reviewer.post(url("review_grade", open_case), form, follow=True)
        assert "percentage between 0 and 100" in response.content.decode()
        assert not MorphologyFinding.objects.exists()


class TestEndpoints:
    def test_the_answer_is_what_is_stored(self, open_case: Case, reviewer: Client) -> None:
        address = url("review_grades", open_case)
        answer = send(reviewer, address, code="schistocytes", grade=None, count="1.5").json()
        [feature] = answer["features"]
        assert (feature["grade"], feature["gradeName"], feature["count"]) == (2, "2+", "1.5")
        assert feature["signature"].startswith("Paul Pathologist, ")
        assert answer["lines"] == {"red": {"statement": "Schistocytes 2+", "rest": "Rest absent"}}

    def test_a_repeated_request_changes_nothing_more(
        self, open_case: Case, reviewer: Client
    ) -> None:
        step = {"action_id": str(uuid.uuid4()), "code": "target_cells", "grade": 2}
        first = send(reviewer, url("review_grades", open_case), **step)
        assert send(reviewer, url("review_grades", open_case), **step).json() == first.json()
        assert MorphologyFinding.objects.count() == 1

    @pytest.mark.parametrize(
        ("payload", "status"),
        [
            ({"code": "target_cells", "grade": 1}, 422),
            ({"code": "target_cells", "grade": 7}, 400),
            ({"code": "target_cells", "grade": None, "count": "101"}, 400),
            ({"code": "no such feature", "grade": 2}, 400),
        ],
    )
    def test_refusals_have_their_status(
        self, open_case: Case, reviewer: Client, payload: dict[str, Any], status: int
    ) -> None:
        assert send(reviewer, url("review_grades", open_case), **payload).status_code == status

    def test_the_rest_of_a_line_and_a_withdrawal(self, open_case: Case, reviewer: Client) -> None:
        answer = send(reviewer, url("review_absences", open_case), line="white").json()
        assert {item["grade"] for item in answer["features"]} == {0}
        assert answer["lines"]["white"]["statement"].startswith("Of normal form")
        again = send(reviewer, url("review_absences", open_case), line="white")
        assert again.json()["features"] == []
        code = "toxic_granulation"
        gone = send(reviewer, url("review_grade_withdrawals", open_case), code=code).json()
        assert gone["features"][0]["grade"] is None

    @pytest.mark.parametrize(
        "name", ["review_grades", "review_grade_withdrawals", "review_absences"]
    )
    def test_only_who_has_the_case_open(
        self, open_case: Case, client_for: ClientFor, technician: User, name: str
    ) -> None:
        payload = {"code": "target_cells", "grade": 2, "line": "red"}
        for person in (technician, UserFactory.create(role=Role.PATHOLOGIST)):
            answer = send(client_for(person), url(name, open_case), **payload)
            assert answer.status_code == 403
        assert not MorphologyFinding.objects.exists()


class TestLaboratoryPage:
    FEATURES = reverse("classifier:morphology_features")

    def propose(self, client: Client, code: str = "target_cells", **changed: str) -> Any:
        form = {
            "name": "Target cells",
            "line": "red",
            "unit": "red_cells",
            "two_from": "6",
            "three_above": "22",
            "source": "Own study, 40 films",
            "position": "80",
            "effective_from": "2026-01-01",
        }
        address = reverse("classifier:morphology_feature", args=[code])
        return client.post(address, form | changed)

    def test_a_proposal_is_approved_by_a_named_pathologist(
        self, administrator: User, reviewer: Client, client_for: ClientFor
    ) -> None:
        assert self.propose(client_for(administrator)).status_code == 302
        added = MorphologyFeature.objects.get(code="target_cells", version=2)
        assert "Version 2, proposed" in reviewer.get(self.FEATURES).content.decode()
        reviewer.post(reverse("classifier:morphology_features_approve"), {"feature": [added.pk]})
        page = reviewer.get(
            reverse("classifier:morphology_feature", args=["target_cells"])
        ).content.decode()
        assert "Version 2, in force" in page
        assert "Approved by Paul Pathologist, MD" in page
        assert "Version 1, superseded" in page

    @pytest.mark.parametrize(
        "changed",
        [{"unit": ""}, {"two_from": "30"}, {"two_from": "", "three_above": ""}, {"source": ""}],
    )
    def test_refuses_cut_offs_that_make_no_sense(
        self, administrator: User, client_for: ClientFor, changed: dict[str, str]
    ) -> None:
        assert self.propose(client_for(administrator), **changed).status_code == 422
        assert MorphologyFeature.objects.filter(code="target_cells").count() == 1

    def test_who_may_not_propose_sees_no_form(
        self, technician: User, client_for: ClientFor
    ) -> None:
        client = client_for(technician)
        assert self.propose(client).status_code == 403
        page = client.get(reverse("classifier:morphology_feature", args=["target_cells"]))
        assert "Propose" not in page.content.decode()
        assert reverse("classifier:morphology_features_approve") not in page.content.decode()

    def test_a_new_feature_gets_its_code_from_its_name(
        self, administrator: User, client_for: ClientFor
    ) -> None:
        client = client_for(administrator)
        form = {
            "name": "Malaria parasites",
            "line": "red",
            "source": "Own list",
            "position": "90",
            "effective_from": "2026-01-01",
        }
        address = reverse("classifier:morphology_feature_new")
        assert client.post(address, form).status_code == 302
        assert MorphologyFeature.objects.get(code="malaria_parasites").version == 1
        assert "malaria_parasites" not in {item.code for item in features_in_force()}
        assert client.post(address, form).status_code == 422

    def test_a_feature_is_retired_with_a_reason(self, reviewer: Client) -> None:
        version = MorphologyFeature.objects.get(code="rouleaux")
        address = reverse("classifier:morphology_feature_retire", args=[version.pk])
        reviewer.post(address, {"reason": ""})
        assert "rouleaux" in {item.code for item in features_in_force()}
        reviewer.post(address, {"reason": "Not reported here."})
        assert "rouleaux" not in {item.code for item in features_in_force()}
        assert "Retired" in reviewer.get(self.FEATURES).content.decode()

    def test_reads_a_bounded_number_of_rows(
        self, reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(12):
            reviewer.get(self.FEATURES)
