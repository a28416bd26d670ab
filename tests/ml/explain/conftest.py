"""Networks to explain: the released one, and an untrained one to compare with."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml.artifacts import DEFAULT_RELEASE
from ml.explain import Network, load_network
from ml.synthetic import render_cell
from tests.ml.annotations import Pixels


@pytest.fixture(scope="session")
def network() -> Network:
    """The released network."""
    return load_network(DEFAULT_RELEASE)


@pytest.fixture(scope="session")
def untrained(tiny_release: Path) -> Network:
    """A network of random weights at 64 px."""
    return load_network(tiny_release)


@pytest.fixture(scope="session")
def eosinophil() -> Pixels:
    """A drawn eosinophil, uint8[180, 180, 3]."""
    return render_cell("eosinophil", seed=5, size=180)
