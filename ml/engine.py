"""Run a served network with LiteRT: the view of a cell in, logits, features and class maps out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec, verify
from ml.errors import ArtifactError
from ml.lite import LiteNetwork, Shapes
from ml.serving_form import read_served

_RANKS: Final = ([2, 2, 4, 4], [2, 2, 4])
"""Of logits, pooled features, class maps and feature maps; older releases lack the last."""

_SERVED: Final = slice(3)
_EXPLAINED: Final = slice(0, 4, 3)


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """What a network says of one view.

    `logits` are float32[C]; `features` float32[K], the pooled ones that the dense layer reads;
    `maps` float32[h, w, C], each class's evidence by place, whose mean is the class's logit.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32]
    maps: NDArray[np.float32]

    def with_closer(self, closer: NetworkOutput) -> NetworkOutput:
        """The mean of two looks, on a grid fine enough for the maps of both; features stay."""
        return NetworkOutput(
            logits=_mean(self.logits, closer.logits),
            features=self.features,
            maps=_mean(_refine(self.maps, closer.maps), _refine(closer.maps, self.maps)),
        )


def _mean(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((one + other) / 2, dtype=np.float32)


def _refine(maps: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Repeat places so that both maps have as many; the means stay as they are."""
    down, across = (
        np.lcm(maps.shape[axis], other.shape[axis]) // maps.shape[axis] for axis in (0, 1)
    )
    return maps.repeat(down, axis=0).repeat(across, axis=1)


def open_engine(release_dir: Path) -> tuple[ReleaseSpec, Engine]:
    """Verify a release and open its serving form; ArtifactError if it isn't what its spec says."""
    spec = verify(release_dir)
    sizes = (spec.input_size, *([spec.closer.size] if spec.closer else []))
    served = read_served(release_dir, spec.sha256)
    return spec, Engine(served, sizes=sizes, classes=len(spec.class_names))


class Engine:
    """One network, to be run from any thread.

    Cells go through one at a time, on one core, so the answer for a cell never depends on what
    it came with, and threads divide the cores.
    """

    def __init__(self, served: bytes, *, sizes: Sequence[int], classes: int) -> None:
        """Open the bytes of a LiteRT file; ArtifactError if it is none, or of other shapes."""

        def fits(given: Shapes) -> bool:
            ranks = [len(shape) for shape in given]
            return ranks in _RANKS and given[0][-1] == given[2][-1] == classes

        self._network = LiteNetwork(served, sizes=sizes, fits=fits)

    def run(self, view: NDArray[np.float32]) -> NetworkOutput:
        """Run the view of one cell, float32[S, S, 3] in [-1, 1], S one of the sizes."""
        return NetworkOutput(*self._network.run(view, _SERVED))

    def look(self, view: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Last feature maps float32[h, w, K] and logits float32[C] of such a view, to explain it.

        Raises ArtifactError if the serving form gives no feature maps.
        """
        logits, *others = self._network.run(view, _EXPLAINED)
        if not others:
            raise ArtifactError(
                "The serving form gives no feature maps; run `python -m ml export --release`."
            )
        return others[0], logits
