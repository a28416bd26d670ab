"""Refusals: who comes in, and one shape for everything that goes wrong."""

import uuid

import pytest
from django.test import Client, RequestFactory
from rest_framework import serializers
from rest_framework.views import APIView

from accounts import context
from accounts.models import User
from api.authentication import TokenAuthentication
from api.enums import Scope
from api.models import ApiToken
from api.problems import errors_in, problem_of
from api.services.tokens import revoke_token
from tests.api.conftest import MakeToken, Program


def test_a_token_says_what_it_opens(technician: User, program: Program) -> None:
    response = program(technician, Scope.CASES_READ).get("/api/v1/token")
    assert response.status_code == 200
    assert response.json()["scopes"] == ["cases:read"]
    assert response.json()["owner"] == "Tess Technician"


@pytest.mark.parametrize(
    "header", [None, "", "Basic dXNlcjpwYXNz", "Bearer", "Bearer hv_0_0", "Bearer ä", "hv_a_b"]
)
def test_without_a_token_nobody_comes_in(db: None, header: str | None) -> None:
    client = Client(headers={} if header is None else {"Authorization": header})
    response = client.get("/api/v1/token")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="HematoVision"'
    assert response["Content-Type"] == "application/problem+json"
    said = response.json()
    assert said["status"] == 401
    assert said["type"].startswith("urn:hematovision:problem:")
    assert uuid.UUID(said["instance"].removeprefix("urn:uuid:"))


def test_a_session_opens_nothing(technician: User, client_for) -> None:  # type: ignore[no-untyped-def]
    assert client_for(technician).get("/api/v1/token").status_code == 401


def test_a_revoked_token_opens_nothing_at_once(technician: User, program: Program) -> None:
    client = program(technician)
    assert client.get("/api/v1/token").status_code == 200
    revoke_token(token_id=ApiToken.objects.get().pk, actor=technician)
    assert client.get("/api/v1/token").status_code == 401


def test_an_unknown_address_is_a_problem_too(technician: User, program: Program) -> None:
    for client in (Client(), program(technician)):
        for address in ("/api/v1/", "/api/v1/nothing", "/api/v1/cases/x/y/z"):
            response = client.post(address, "{", content_type="application/json")
            assert response.status_code == 404
            assert response["Content-Type"] == "application/problem+json"


def test_a_wrong_method_is_a_problem_too(technician: User, program: Program) -> None:
    response = program(technician).put("/api/v1/token")
    assert response.status_code == 405
    assert "GET" in response["Allow"]


def test_problems_point_at_the_place_in_the_body() -> None:
    class Inner(serializers.Serializer[dict[str, int]]):
        n = serializers.IntegerField()

    class Outer(serializers.Serializer[dict[str, object]]):
        inner = Inner(many=True)
        ids = serializers.ListField(child=serializers.UUIDField())

    form = Outer(data={"inner": [{"n": 1}, {"n": "x"}], "ids": ["no"]})
    assert not form.is_valid()
    pointers = [error["pointer"] for error in errors_in(form.errors)]
    assert pointers == ["#/inner/1/n", "#/ids/0"]


def test_a_fault_says_nothing_of_itself() -> None:
    problem = problem_of(RuntimeError("password of the database"))
    assert problem.status == 500
    assert "password" not in str(problem.as_json())


def test_too_many_requests_wait(technician: User, program: Program, settings) -> None:  # type: ignore[no-untyped-def]
    from rest_framework.test import APIRequestFactory

    from api.v1.token import Token

    settings.API_REQUESTS_PER_MINUTE = {"read": 2, "write": 1}
    view = type("Counted", (Token,), {"scopes": {"GET": Scope.CASES_READ}}).as_view()  # type: ignore[attr-defined]
    header = program(technician, Scope.CASES_READ).defaults["HTTP_AUTHORIZATION"]
    for _ in range(3):
        response = view(APIRequestFactory().get("/", HTTP_AUTHORIZATION=header))
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 61
    other = program(technician, Scope.CASES_READ).defaults["HTTP_AUTHORIZATION"]
    again = view(APIRequestFactory().get("/", HTTP_AUTHORIZATION=other))
    assert again.status_code == 200, "each token has a count of its own"


def test_a_program_is_named_in_the_audit_trail(technician: User, make_token: MakeToken) -> None:
    made = make_token(technician)
    with context.request_context(request_id=str(uuid.uuid4()), client_address=None):
        header = f"Bearer {made.text}"
        TokenAuthentication().authenticate(
            APIView().initialize_request(RequestFactory().get("/", HTTP_AUTHORIZATION=header))
        )
        assert context.current_means() == f"API token {made.token.prefix}"
    assert context.current_means() == "", "the request is over"
