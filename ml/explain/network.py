"""A release opened for explaining: its views, its last feature maps and its probabilities."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec
from ml.calibration import softmax
from ml.cores import usable_cores
from ml.head import Head, read_head
from ml.preprocessing import locate, normalise

BATCH: Final = 32
"""Views scored at once, after each of which the listener hears of progress."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Last feature maps float32[N, h, w, channels] and logits float32[N, classes] at one size."""

    size: int
    features: NDArray[np.float32]
    logits: NDArray[np.float32]


class Looking(Protocol):
    """What runs one view, float32[S, S, 3] in -1 to 1, on one core, from any thread."""

    def look(self, view: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Last feature maps float32[h, w, K] and logits float32[C]."""
        ...


class Network:
    """A network that ends in global average pooling and one dense layer without activation.

    Views are divided among all cores; each gets the same answer whatever it comes with.
    """

    def __init__(self, spec: ReleaseSpec, engine: Looking, head: Head) -> None:
        self.spec = spec
        self.kernel = head.kernel
        """Weights of the dense layer, float32[channels, classes]."""
        self.grid = head.grid
        """Where the cells of the feature maps look."""
        self.engine = engine
        self._pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="explain")

    def view(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the network sees of a uint8[H, W, 3] RGB picture, uint8[S, S, 3].

        S is the size of the closer look if the first one leaves the picture in doubt.
        """
        cell, closer = locate(image), self.spec.closer
        view = cell.view(self.spec.input_size)
        if closer is None or not closer.is_wanted(self.looks(view[None])[0].logits)[0]:
            return view
        return cell.view(closer.size)

    def index_of(self, class_name: str) -> int:
        """Place of a class in the release's order; raises ValueError if it has no such class."""
        if class_name not in self.spec.class_names:
            raise ValueError(
                f"{self.spec.name} has no class {class_name!r}; "
                f"choose from {', '.join(self.spec.class_names)}."
            )
        return self.spec.class_names.index(class_name)

    def looks(self, views: NDArray[Any]) -> list[Look]:
        """What the network makes of uint8 or float32[N, S, S, 3] views in 0 to 255, look by look.

        Views of the closer look's size get both looks, the first at the first's size: it is then
        made from the view, not from the picture, so its logits differ slightly from those served.
        """
        return [self._look(views, size) for size in self._sizes(views)]

    def probabilities(self, views: NDArray[Any]) -> NDArray[np.float64]:
        """Calibrated probabilities float64[N, classes], of the mean of the looks at such views."""
        sizes = self._sizes(views)

        def read(view: NDArray[Any]) -> NDArray[np.float32]:
            each = [self.engine.look(normalise(_shrink(view, size)))[1] for size in sizes]
            return np.asarray(np.mean(each, axis=0), dtype=np.float32)

        return softmax(np.stack(self._each(read, views)), self.spec.temperature)

    def _sizes(self, views: NDArray[Any]) -> list[int]:
        return sorted({self.spec.input_size, views.shape[1]})

    def _look(self, views: NDArray[Any], size: int) -> Look:
        parts = self._each(lambda view: self.engine.look(normalise(_shrink(view, size))), views)
        features, logits = (np.stack(each) for each in zip(*parts, strict=True))
        return Look(size, features, logits)

    def _each(self, do: Callable[[NDArray[Any]], Answer], views: NDArray[Any]) -> list[Answer]:
        return list(self._pool.map(do, views))


def _shrink(view: NDArray[Any], size: int) -> NDArray[Any]:
    if view.shape[0] == size:
        return view
    return np.asarray(cv2.resize(view, (size, size), interpolation=cv2.INTER_AREA))


def load_network(release_dir: Path) -> Network:
    """Verify and open a release; raises ArtifactError if it is not what its spec says.

    Call it in the process that explains: its threads do not survive a fork.
    """
    # Imported here, so that whoever reads explanations alone loads no engine.
    from ml.engine import open_engine  # noqa: PLC0415

    spec, engine = open_engine(release_dir)
    return Network(spec, engine, read_head(release_dir))
