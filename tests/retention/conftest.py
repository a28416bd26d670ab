"""Fixtures of tests about retention."""

import pytest

from accounts.enums import Role
from accounts.models import User
from tests.factories import UserFactory
from tests.reports.conftest import ready_case, sign

__all__ = ["ready_case", "sign"]


@pytest.fixture
def keeper(db: None) -> User:
    """A second person who keeps records."""
    return UserFactory.create(role=Role.ADMINISTRATOR, full_name="Kay Keeper")
