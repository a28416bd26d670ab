"""What every answer says of itself: its kind, who may keep or frame it, nothing of its maker."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.models import Case
from tests.access.site import program
from tests.clinical import MakeImage
from tests.factories import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

CHARSET = re.compile(r'charset="?utf-8"?$')
VERSIONS = re.compile(r"django|python|gunicorn|wsgi|\d+\.\d+\.\d+", re.IGNORECASE)


@pytest.fixture
def answers(case: Case, desk: Client, technician: User, add_picture: MakeImage) -> dict[str, Any]:
    """One answer of each kind, by its address."""
    image = add_picture(case)
    script, stranger = program(technician), Client()
    found: dict[str, Any] = {
        address: client.get(address)
        for client, address in (
            (stranger, "/account/login/"), (stranger, "/"), (stranger, "/nowhere/"),
            (stranger, "/health/live"), (stranger, "/api/v1/cases"), (stranger, "/fhir/metadata"),
            (stranger, "/static/js/app.js"), (desk, "/patients/"), (desk, f"/cases/{case.pk}/"),
            (desk, f"/cases/{case.pk}/status/"), (desk, f"/images/{image.pk}/"),
            (desk, f"/cases/{case.pk}/label/barcode.svg"), (desk, "/administration/users/"),
            (script, f"/api/v1/cases/{case.pk}"), (script, "/api/v1/nowhere"),
        )
    }  # fmt: skip
    for answer in found.values():
        answer.close()
    return found


def test_every_answer_says_what_it_is(answers: dict[str, Any]) -> None:
    for address, answer in answers.items():
        if answer.status_code != 302:
            kind = answer["Content-Type"]
            assert not kind.startswith("text/") or CHARSET.search(kind), address
        if not address.startswith("/static/"):
            assert answer["X-Frame-Options"] == "DENY", address
        assert answer["X-Content-Type-Options"] == "nosniff", address
        assert answer["Referrer-Policy"] == "same-origin", address
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], address
        assert "Access-Control-Allow-Origin" not in answer.headers, address


def test_answers_name_no_versions(answers: dict[str, Any]) -> None:
    for address, answer in answers.items():
        told = {name: value for name, value in answer.headers.items() if VERSIONS.search(value)}
        assert told == {}, address
        assert not {"Server", "X-Powered-By"} & set(answer.headers), address


def test_pages_are_kept_by_no_browser(answers: dict[str, Any], case: Case) -> None:
    for address in ("/patients/", f"/cases/{case.pk}/", f"/cases/{case.pk}/status/"):
        assert "no-store" in answers[address]["Cache-Control"], address
    for address, answer in answers.items():
        if address.startswith(("/images/", "/api/v1/cases/")):
            assert "private" in answer["Cache-Control"], address


def test_an_answer_of_the_api_is_an_attachment(answers: dict[str, Any], case: Case) -> None:
    for address in (f"/api/v1/cases/{case.pk}", "/api/v1/nowhere", "/fhir/metadata"):
        assert answers[address]["Content-Disposition"].startswith("attachment;"), address


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example/", "https://evil.example/", "\\\\evil.example", "javascript:alert(1)",
     "/\t/evil.example", "http:///evil.example", "\r\nX-Evil: 1"],
)  # fmt: skip
def test_sign_in_leads_to_no_other_site(elsewhere: str, technician: User) -> None:
    client = Client()
    said = {"login": technician.email, "password": PASSWORD, "next": elsewhere}
    answer = client.post("/account/login/", said)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/")
    assert not answer["Location"].startswith(("//", "/\\", "/\t"))
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "image/png", "text/html"])
def test_another_kind_of_body_is_refused(kind: str, technician: User, case: Case) -> None:
    address = f"/api/v1/cases/{case.pk}/cancel"
    headers = {"Idempotency-Key": "once-and-for-all"}
    answer = program(technician).post(address, "{}", content_type=kind, headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize("hostile", ['a".html', "a\r\nX-Evil: 1", "../../x", "\u202egnp.exe"])
def test_no_download_is_named_by_what_was_sent(
    hostile: str, administrator: User, client_for: Any
) -> None:
    """Names of files are ours, whatever the address asks for."""
    client = client_for(administrator)
    for name in ("accounts:audit_export", "accounts:audit_whole"):
        answer: Any = client.get(
            reverse(name), {"format": hostile, "search": hostile, "name": hostile}
        )
        b"".join(answer.streaming_content) if answer.streaming else answer.content
        stated = answer.headers.get("Content-Disposition", "")
        assert re.fullmatch(r'(attachment; filename="[\w.-]+")?', stated), stated
        assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000])
def test_json_nested_too_deeply_is_refused_with_words(
    body: str, case: Case, pathologist: User, client_for: Any
) -> None:
    address = reverse("classifier:review_undo_step", args=[case.pk])
    answer = client_for(pathologist).post(address, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json() == {"detail": "The JSON is nested too deeply."}
