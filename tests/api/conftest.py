"""Fixtures: tokens, and programs that show them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from api.enums import Scope
from api.policies import scopes_of
from api.services.tokens import NewToken, create_token

MakeToken = Callable[..., NewToken]
Program = Callable[..., Client]


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """Limits are counted in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture
def make_token() -> MakeToken:
    """Make a token of all the scopes that its owner may have, or of those given."""

    def make(owner: User, *scopes: Scope, **details: Any) -> NewToken:
        wanted: dict[str, Any] = {"name": "Script", "life": timedelta(days=1)} | details
        return create_token(actor=owner, scopes=scopes or scopes_of(owner), **wanted)

    return make


@pytest.fixture
def program(make_token: MakeToken) -> Program:
    """Return a client that shows a token of the owner's."""

    def start(owner: User, *scopes: Scope) -> Client:
        made = make_token(owner, *scopes)
        return Client(headers={"Authorization": f"Bearer {made.text}"})

    return start


@pytest.fixture
def tess(technician: User, program: Program) -> Client:
    return program(technician)
