"""Requests for FHIR, and the resources of an answer."""

from typing import Any
from urllib.parse import urlencode

from django.test import Client


def get(client: Client, address: str, **headers: str) -> Any:
    return client.get(f"/fhir/{address}", headers=headers)


def post(client: Client, address: str, form: dict[str, str]) -> Any:
    kind = "application/x-www-form-urlencoded"
    return client.post(f"/fhir/{address}", urlencode(form), content_type=kind)


def found(client: Client, address: str) -> list[dict[str, Any]]:
    response = get(client, address)
    assert response.status_code == 200, response.content
    return [item["resource"] for item in response.json().get("entry", [])]
