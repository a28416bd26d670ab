"""A person whose account is connected with the provider."""

import pytest

from accounts.models import User
from tests.accounts.single_sign_on.ways import link
from tests.identity_provider import IdentityProvider


@pytest.fixture
def linked(provider: IdentityProvider, technician: User) -> User:
    """A technician whose account is connected with the identity "tess"."""
    link(technician, provider, "tess")
    provider.knows("tess", technician.email)
    return technician
