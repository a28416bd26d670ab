"""What load balancers and operators ask."""

import shutil
from types import SimpleNamespace

import pytest
from django.test import Client


def test_a_live_process_says_so(client: Client) -> None:
    assert client.get("/health/live").content == b"alive\n"


@pytest.mark.django_db(transaction=True)
def test_a_site_with_all_its_servers_is_ready(client: Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.content.decode().count(": OK") == 3


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_makes_it_unready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    answer = client.get("/health/ready")
    assert answer.status_code == 500
    assert "The disk for images is nearly full" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_unreachable_broker_makes_it_unready(client: Client, settings) -> None:  # type: ignore[no-untyped-def]
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://:secret@127.0.0.1:1/0",
        }
    }
    answer = client.get("/health/ready")
    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()
