"""Keys of requests: each POST is done once."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from api.models import AnsweredRequest
from api.services.idempotency import forget_answers
from classifier.models import Patient
from tests.api.conftest import Program
from tests.api.sending import JOHN, new_case, post


def test_the_same_key_gets_the_same_answer(tess: Client) -> None:
    key = str(uuid.uuid4())
    first = post(tess, "patients", JOHN, key)
    again = post(tess, "patients", dict(reversed(JOHN.items())), key)
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert again["Idempotent-Replayed"] == "true"
    assert Patient.objects.count() == 1


def test_a_key_is_for_one_request(tess: Client) -> None:
    key = str(uuid.uuid4())
    post(tess, "patients", JOHN, key)
    other = post(tess, "patients", JOHN | {"mrn": "MRN00778"}, key)
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency-key-reused")


def test_a_key_is_one_tokens(tess: Client, technician: User, program: Program) -> None:
    key = str(uuid.uuid4())
    assert post(tess, "patients", JOHN, key).status_code == 201
    assert post(program(technician), "patients", JOHN, key).status_code == 409


@pytest.mark.parametrize("key", ["", "short", "with space here", "ümlautümlaut"])
def test_without_a_key_nothing_is_posted(tess: Client, key: str) -> None:
    response = tess.post(
        "/api/v1/patients", JOHN, content_type="application/json",
        headers={"Idempotency-Key": key} if key else {},
    )  # fmt: skip
    assert response.status_code == 400
    assert not Patient.objects.exists()


def test_a_refusal_is_not_kept(tess: Client, patient: Patient) -> None:
    key = str(uuid.uuid4())
    bad = new_case(patient, specimen={})
    assert post(tess, "cases", bad, key).status_code == 422
    assert post(tess, "cases", new_case(patient), key).status_code == 201


def test_answers_are_forgotten_after_two_days(tess: Client) -> None:
    import time_machine

    post(tess, "patients", JOHN)
    assert forget_answers() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=49), tick=False):
        assert forget_answers() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_under_one_key_are_one(db: None) -> None:
    import threading

    from django.db import connection

    from api.exceptions import KeyInUse
    from api.services.idempotency import Answer, Asked, answer_once
    from api.services.tokens import create_token
    from tests.factories import UserFactory

    owner = UserFactory.create()
    made = create_token(actor=owner, name="x", scopes=["cases:read"], life=timedelta(days=1))
    asked = Asked(made.token, "12345678", "POST /x", "0" * 64)
    inside, done = threading.Event(), threading.Event()
    refused: list[bool] = []

    def second() -> None:
        inside.wait(30)
        try:
            answer_once(asked, lambda: Answer(200, None))
        except KeyInUse:
            refused.append(True)
        finally:
            connection.close()
            done.set()

    def slow() -> Answer:
        inside.set()
        assert done.wait(30)
        return Answer(201, {"n": 1})

    thread = threading.Thread(target=second)
    thread.start()
    answer_once(asked, slow)
    thread.join()
    assert refused == [True]
    assert AnsweredRequest.objects.get().status == 201
    assert answer_once(asked, slow).is_replayed
