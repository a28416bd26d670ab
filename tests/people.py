"""Fixtures: people of each role, and clients signed in as them."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import User
from tests.factories import UserFactory


@pytest.fixture
def technician(db: None) -> User:
    return UserFactory.create(role=Role.TECHNICIAN, full_name="Tess Technician")


@pytest.fixture
def pathologist(db: None) -> User:
    return UserFactory.create(role=Role.PATHOLOGIST, full_name="Paul Pathologist", title="MD")


@pytest.fixture
def colleague(db: None) -> User:
    return UserFactory.create(role=Role.PATHOLOGIST, full_name="Carla Colleague", title="MD")


@pytest.fixture
def administrator(db: None) -> User:
    return UserFactory.create(role=Role.ADMINISTRATOR, full_name="Ada Administrator")


@pytest.fixture
def consultant(db: None) -> User:
    return UserFactory.create(role=Role.CONSULTANT, full_name="Cora Consultant")


@pytest.fixture
def learner(db: None) -> User:
    return UserFactory.create(role=Role.LEARNER, full_name="Leo Learner")


@pytest.fixture
def client_for() -> Callable[[User], Client]:
    """Return a client signed in as the person given."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
