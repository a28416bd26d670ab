"""Fixtures: a technician's browser, and the pages of cases that it reads."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from classifier.models import Case

SignIn = Callable[[User], Client]


@pytest.fixture
def desk(technician: User, client_for: SignIn) -> Client:
    """A technician's browser."""
    return client_for(technician)


def page_of(desk: Client, case: Case) -> str:
    response = desk.get(case.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()
