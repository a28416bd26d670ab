"""What administrators do to accounts: for whom, and within the content policy."""

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import User
from tests.access.markup import violations_in
from tests.browsing import SignIn
from tests.factories import UserFactory

pytestmark = pytest.mark.usefixtures("empty_cache")

ACTIONS = [
    "details",
    "role",
    "unlock",
    "password-link",
    "new-password",
    "remove-factor",
    "deactivate",
    "reactivate",
    "renew",
    "log-off",
]


@pytest.mark.parametrize("action", ACTIONS)
def test_actions_are_for_administrators(
    technician: User, administrator: User, learner: User, client_for: SignIn, action: str
) -> None:
    address = f"/administration/users/{UserFactory.create().pk}/{action}/"
    page = client_for(administrator).get(address)
    assert page.status_code == 200
    assert violations_in(page.content.decode()) == []
    assert Client().get(address).status_code == 302
    for other in (technician, learner, UserFactory.create(role=Role.PATHOLOGIST)):
        assert client_for(other).get(address).status_code == 403


def test_nobody_signs_up(client: Client, db: None) -> None:
    assert client.get("/account/signup/").status_code == 404
