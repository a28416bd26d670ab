"""One release, opened once to explain single cells, whoever asks and by whatever method."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.explain.cam import GRAD_CAM
from ml.explain.explanation import Explanation, explain
from ml.explain.network import Network, load_network
from ml.morphology import Attribute, Heads, describe, read_heads
from ml.preprocessing import locate


class Explainer:
    """Says of a cell, uint8[H, W, 3] RGB, what in it raised the score of a class.

    The picture is the crop that was classified: for a cell of a field, what `ml.cutting.cut_cells`
    gives. Any thread may ask; the views of one question are divided among the cores.
    """

    def __init__(self, network: Network, heads: Heads | None = None) -> None:
        self.network = network
        self._heads = heads

    @property
    def model(self) -> tuple[str, str, str]:
        """Name, version and SHA-256 of the release, to stamp what is kept of its answers."""
        spec = self.network.spec
        return spec.name, spec.version, spec.sha256

    def explain(
        self,
        pixels: NDArray[np.uint8],
        *,
        method: str = GRAD_CAM,
        class_name: str | None = None,
        is_scored: bool = True,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Explanation:
        """Explain the probability of a class, by default the likeliest, as `ml.explain.explain`."""
        return explain(
            self.network,
            pixels,
            method=method,
            class_name=class_name,
            is_scored=is_scored,
            on_progress=on_progress,
        )

    def describe(self, pixels: NDArray[np.uint8]) -> tuple[Attribute, ...]:
        """The cell's morphology, attribute by attribute, as `ml.morphology.describe`.

        Empty if the release can't describe, or the likeliest class isn't one of those described.
        """
        if self._heads is None:
            return ()
        network, cell = self.network, locate(pixels)
        looks = network.looks(cell.view(network.spec.input_size)[None])
        rows = network.probabilities(network.view(pixels)[None])
        likeliest = network.spec.class_names[int(rows[0].argmax())]
        pooled = looks[0].features[0].mean(axis=(0, 1))
        return describe(self._heads, np.asarray(pooled, dtype=np.float32), likeliest)


def load_explainer(release_dir: Path) -> Explainer:
    """Verify and open a release; ArtifactError if it isn't what its spec says.

    Call it in the process that explains: its threads do not survive a fork.
    """
    network = load_network(release_dir)
    return Explainer(network, read_heads(release_dir, network.spec))
