"""The mean over a view's orientations."""

from __future__ import annotations

import numpy as np
import pytest

from ml.engine import NetworkOutput, average
from ml.turns import turns_of, upright

VIEW = np.arange(48, dtype=np.float32).reshape(4, 4, 3)


@pytest.mark.parametrize("turns", [1, 2, 4])
def test_the_first_turn_is_the_view_itself_and_each_is_another(turns: int) -> None:
    turned = turns_of(VIEW, turns)
    assert len(turned) == turns
    np.testing.assert_array_equal(turned[0], VIEW)
    assert len({each.tobytes() for each in turned}) == turns


@pytest.mark.parametrize("turns", [1, 2, 4])
def test_turned_maps_come_back_as_the_view_lies(turns: int) -> None:
    for number, turned in enumerate(turns_of(VIEW, turns)):
        np.testing.assert_array_equal(upright(turned, number, turns), VIEW)


def test_the_average_of_a_turned_cell_is_that_of_the_cell() -> None:
    def read(view: np.ndarray) -> NetworkOutput:
        weights = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4, 1)
        evidence = view * weights
        features = evidence.mean(axis=(0, 1))
        return NetworkOutput(logits=features, features=features, maps=evidence)

    here, there = (
        average([read(each) for each in turns_of(view, 4)]) for view in (VIEW, np.rot90(VIEW))
    )
    np.testing.assert_allclose(here.logits, there.logits, rtol=1e-6)
    np.testing.assert_allclose(np.rot90(here.maps), there.maps, rtol=1e-5)
    np.testing.assert_allclose(here.maps.mean(axis=(0, 1)), here.logits, rtol=1e-5)
