"""Following a case: the state at once, then each change; few streams, and none for ever."""

import json
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from accounts.models import User
from api.exceptions import TooManyStreams
from api.models import ApiToken
from api.services.streams import EventStream, Place
from api.services.tokens import revoke_token
from classifier.models import Case, ModelVersion
from classifier.services.cases import submit_case
from tests.api.conftest import MakeToken, Program
from tests.clinical import MakeImage


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.API_STREAM_LOOK_SECONDS = 0.0
    settings.API_STREAM_HEARTBEAT_SECONDS = 0.0


@pytest.fixture
def token(technician: User, make_token: MakeToken) -> ApiToken:
    return make_token(technician).token


def said(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(part.split("data: ")[1])
    return found


def test_says_how_the_case_stands_and_how_it_changes(
    case: Case, token: ApiToken, technician: User, add_picture: MakeImage,
    active_model: ModelVersion,
) -> None:  # fmt: skip
    stream = EventStream(case_id=case.pk, token=token)
    assert next(stream).startswith("retry:")
    assert said(next(stream))["status"] == "registered"
    assert next(stream).startswith(":"), "a sign of life where nothing changed"
    add_picture(case)
    assert said(next(stream))["images"] == {"total": 1, "succeeded": 0, "failed": 0}
    submit_case(case_id=case.pk, actor=technician)
    assert said(next(stream))["status"] == "in_classification"
    stream.close()


def test_goes_on_where_it_broke_off(case: Case, token: ApiToken) -> None:
    stream = EventStream(case_id=case.pk, token=token)
    next(stream)
    key = next(stream).splitlines()[0].removeprefix("id: ")
    stream.close()
    again = EventStream(case_id=case.pk, token=token, last_key=key)
    next(again)
    assert next(again).startswith(":"), "that state is known"
    again.close()


def test_ends_with_the_token(case: Case, token: ApiToken, technician: User) -> None:
    stream = EventStream(case_id=case.pk, token=token)
    next(stream)
    next(stream)
    revoke_token(token_id=token.pk, actor=technician)
    assert list(stream) == []
    stream.close()


def test_ends_when_its_time_is_up(
    case: Case, technician: User, program: Program, settings: Any
) -> None:
    settings.API_STREAM_SECONDS = 0.0
    response: Any = program(technician).get(f"/api/v1/cases/{case.pk}/events")
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-store"
    assert b"".join(response.streaming_content) == b"retry: 1000\n\n"


def test_a_stranger_follows_nothing(case: Case) -> None:
    assert Client().get(f"/api/v1/cases/{case.pk}/events").status_code == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("site", "owner"), [(1, 9), (9, 1)])
def test_places_are_few_and_given_back(
    case: Case, technician: User, settings: Any, site: int, owner: int
) -> None:
    """Places are held by database sessions, so the second one asks in a session of its own."""
    import threading

    settings.API_STREAMS, settings.API_STREAMS_PER_OWNER = site, owner
    answers: list[str] = []

    def ask() -> None:
        try:
            Place(technician).give_back()
            answers.append("place")
        except TooManyStreams:
            answers.append("none")
        finally:
            connections.close_all()

    def ask_elsewhere() -> None:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    first = Place(technician)
    ask_elsewhere()
    first.give_back()
    ask_elsewhere()
    assert answers == ["none", "place"]
