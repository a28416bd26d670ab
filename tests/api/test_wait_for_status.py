"""Waiting for a case by one request: `Prefer: wait`, bounded, and only for what is news."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from api.exceptions import TooManyStreams
from api.services import streams
from classifier.models import Case
from tests.clinical import MakeImage


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.API_STREAM_LOOK_SECONDS = 0.0
    settings.API_WAIT_SECONDS = 1


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often somebody who waits looks again."""
    made: list[int] = []
    look = streams.look

    def counted(*args: Any) -> Any:
        made.append(1)
        return look(*args)

    monkeypatch.setattr(streams, "look", counted)
    return made


def ask(client: Client, case: Case, prefer: str, known: str = "") -> Any:
    headers = {"Prefer": prefer} | ({"If-None-Match": known} if known else {})
    return client.get(f"/api/v1/cases/{case.pk}/status", headers=headers)


def test_says_how_a_case_stands(tess: Client, case: Case, looks: list[int]) -> None:
    told = ask(tess, case, "wait=20")
    images = {"total": 0, "succeeded": 0, "failed": 0}
    assert told.json() == {
        "case": str(case.pk), "status": "registered", "version": case.version, "images": images
    }  # fmt: skip
    assert not looks, "who knows nothing yet doesn't wait"
    assert "Preference-Applied" not in told


def test_answers_with_the_next_change(
    tess: Client, case: Case, add_picture: MakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ask(tess, case, "")["ETag"]
    monkeypatch.setattr(streams.time, "sleep", lambda _seconds: add_picture(case))
    told = ask(tess, case, "respond-async, wait=20", known)
    assert (told.status_code, told.json()["images"]["total"]) == (200, 1)
    assert told["Preference-Applied"] == "wait=1", "no longer than the server means to"


def test_says_that_nothing_changed_when_the_time_is_up(
    tess: Client, case: Case, looks: list[int]
) -> None:
    known = ask(tess, case, "")["ETag"]
    told = ask(tess, case, "wait=1", known)
    assert (told.status_code, told["Preference-Applied"], told["ETag"]) == (304, "wait=1", known)
    assert len(looks) > 1


@pytest.mark.parametrize(
    "prefer", ["wait", "wait=", "wait=x", "wait=-1", "wait=0", "wait 5", ";,="]
)
def test_a_preference_that_means_nothing_is_ignored(
    tess: Client, case: Case, looks: list[int], prefer: str
) -> None:
    known = ask(tess, case, "")["ETag"]
    assert ask(tess, case, prefer, known).status_code == 304
    assert not looks


def test_does_not_wait_where_too_many_do(
    tess: Client, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_owner: User) -> None:
        raise TooManyStreams("Too many.")

    known = ask(tess, case, "")["ETag"]
    monkeypatch.setattr(streams, "Place", full)
    told = ask(tess, case, "wait=1", known)
    assert (told.status_code, "Preference-Applied" in told) == (304, False)


def test_what_goes_out_of_sight_is_not_found(
    tess: Client, case: Case, technician: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ask(tess, case, "")["ETag"]

    def leave(_seconds: float) -> None:
        User.objects.filter(pk=technician.pk).update(is_active=False)

    monkeypatch.setattr(streams.time, "sleep", leave)
    assert ask(tess, case, "wait=1", known).status_code == 404
