"""What a monitoring system reads, and who may."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from accounts.audit import record
from accounts.models import User
from classifier.models import Case
from tests.pages import words_of

TOKEN = "a-token-of-the-monitoring"
Samples = dict[tuple[str, frozenset[str]], float]
pytestmark = pytest.mark.django_db


@pytest.fixture
def read(client: Client, settings: Any) -> Callable[[], Samples]:
    """Return the metrics as (name, label values) -> value."""
    settings.METRICS_TOKEN = TOKEN

    def read() -> Samples:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        return {
            (sample.name, frozenset(sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
        }

    return read


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer another", f"Basic {TOKEN}"])
def test_who_has_no_token_finds_no_page(client: Client, settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


def test_without_a_token_there_is_no_page(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    for header in ("", "Bearer "):
        assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


def test_it_says_how_the_work_stands(read: Callable[[], Samples], case: Case) -> None:
    found = read()
    assert found["hematovision_cases", frozenset({"registered"})] == 1
    assert found["hematovision_cases", frozenset({"signed_off"})] == 0
    assert found["hematovision_review_wait_seconds", frozenset()] == 0
    assert found["hematovision_queue_messages", frozenset({"inference"})] >= 0
    assert found["hematovision_disk_free_bytes", frozenset()] > 0
    for source in ("database", "broker", "disk"):
        assert found["hematovision_up", frozenset({source})] == 1


def test_it_says_when_the_last_backup_was_made(read: Callable[[], Samples], case: Case) -> None:
    name = "hematovision_last_backup_timestamp_seconds", frozenset[str]()
    assert name not in read()
    with transaction.atomic():
        event = record(actor=User.system(), action="vault.backed_up", target=None)
    assert read()[name] == pytest.approx(event.at.timestamp())


def test_requests_are_counted_by_route_without_ids(
    read: Callable[[], Samples], case: Case, client: Client
) -> None:
    key = (
        "hematovision_request_seconds_count",
        frozenset({"GET", "classifier:case_detail", "3xx"}),
    )
    before = read().get(key, 0)
    client.get(f"/cases/{case.pk}/?q=Doe")
    assert read()[key] == before + 1
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert str(case.pk) not in words_of(answer)
    assert "Doe" not in words_of(answer)


def test_a_source_that_is_away_is_said_to_be(read: Callable[[], Samples], settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"

    def refuse(*_arguments: Any) -> None:
        raise OperationalError

    with connection.execute_wrapper(refuse):
        found = read()
    assert found["hematovision_up", frozenset({"database"})] == 0
    assert found["hematovision_up", frozenset({"broker"})] == 0
    assert found["hematovision_up", frozenset({"disk"})] == 1
    assert not [name for name, _ in found if name == "hematovision_cases"]
