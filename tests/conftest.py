"""Fixtures for every test."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

pytest_plugins = [
    "tests.people",
    "tests.browsing",
    "tests.clinical",
    "tests.running",
    "tests.fields",
    "tests.reviewing",
    "tests.criticals",
    "tests.library",
    "tests.reading_blind",
    "tests.explaining",
    "tests.slides",
    "tests.databases",
    "tests.identity_provider",
    "tests.reports.history",
    "tests.exchange.incoming",
]


@pytest.fixture(autouse=True)
def _media_apart(settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Keep each test's uploaded files in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def empty_cache() -> Iterator[None]:
    """Start and end with nothing cached."""
    cache.clear()
    yield
    cache.clear()
