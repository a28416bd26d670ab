"""Request ids and client addresses."""

import uuid
from typing import Any

import pytest
from django.test import Client, RequestFactory

from accounts.context import client_address_of, current_client_address, current_request_id


def test_every_response_carries_a_request_id(client: Client, db: None) -> None:
    first, second = (client.get("/account/login/")["X-Request-ID"] for _ in range(2))
    assert uuid.UUID(first) != uuid.UUID(second)


def test_a_valid_id_of_the_caller_is_kept_and_another_replaced(client: Client, db: None) -> None:
    given = str(uuid.uuid4())
    headers = {"X-Request-ID": given}
    assert client.get("/account/login/", headers=headers)["X-Request-ID"] == given
    headers = {"X-Request-ID": "<script>"}
    assert uuid.UUID(client.get("/account/login/", headers=headers)["X-Request-ID"])


def test_nothing_is_known_outside_a_request() -> None:
    assert (current_request_id(), current_client_address()) == ("", None)


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "expected"),
    [
        ("192.0.2.1", "", [], "192.0.2.1"),
        ("192.0.2.1", "203.0.113.5", [], "192.0.2.1"),
        ("10.0.0.2", "203.0.113.5", ["10.0.0.0/8"], "203.0.113.5"),
        ("10.0.0.2", "198.51.100.1, 203.0.113.5", ["10.0.0.0/8"], "203.0.113.5"),
        ("10.0.0.2", "203.0.113.5, 10.0.0.3", ["10.0.0.0/8"], "203.0.113.5"),
        ("10.0.0.2", "nonsense", ["10.0.0.0/8"], "10.0.0.2"),
        ("2001:db8::1", "", [], "2001:db8::1"),
        ("", "", [], None),
    ],
)
def test_only_our_own_proxies_are_believed(
    settings: Any, remote: str, forwarded: str, trusted: list[str], expected: str | None
) -> None:
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
    request.META["REMOTE_ADDR"] = remote
    assert client_address_of(request) == expected
