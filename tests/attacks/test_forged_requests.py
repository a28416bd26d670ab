"""Requests that another site makes a signed-in browser send."""

from typing import Any

import pytest
from django.test import Client

from tests.access.lines import WHO, routes, signs_of
from tests.access.site import Site
from tests.access.table import TABLE
from tests.attacks.forms import PROGRAMS
from tests.factories import UserFactory

REFUSED = (b"This form has expired", b"CSRF Failed")
# Takes any method, and changes nothing.
HARMLESS = {"health_live"}


@pytest.mark.django_db
def test_no_step_is_taken_without_the_token_of_a_page() -> None:
    """Every address that a browser posts to, by somebody who may, without the page's token."""
    people = {who: None if who == "stranger" else UserFactory.create(role=who) for who in WHO}
    clients = {who: Client(enforce_csrf_checks=True) for who in WHO}
    for who, person in people.items():
        if person is not None:
            clients[who].force_login(person, "django.contrib.auth.backends.ModelBackend")
    site = Site({}, {}, "/administration/join/x/")
    taken, asked = [], 0
    for name, route in routes().items():
        if name.startswith(PROGRAMS) or name in HARMLESS:
            continue
        for who, sign in zip(WHO, signs_of(TABLE[name], "POST").split(), strict=True):
            if sign in "+.":
                answer: Any = clients[who].post(site.address(name, route), {"password": "x"})
                asked += 1
                if answer.status_code != 403 or not any(word in answer.content for word in REFUSED):
                    taken.append(f"{name} as {who}: {answer.status_code}")
    assert asked > 200
    assert taken == []
