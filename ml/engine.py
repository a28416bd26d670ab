"""Run a served network with LiteRT: the view of a cell in, logits, features and class maps out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from ml.artifacts import ReleaseSpec, verify
from ml.errors import ArtifactError
from ml.serving_form import read_served


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
    served = read_served(release_dir, spec)
    return spec, Engine(served, sizes=sizes, classes=len(spec.class_names))


class Engine:
    """One network, to be run from any thread; each thread gets an interpreter of its own a size.

    Cells go through one at a time, on one core, so the answer for a cell never depends on what
    it came with, and threads divide the cores. LiteRT releases Python's lock while it computes.
    """

    def __init__(self, served: bytes, *, sizes: Sequence[int], classes: int) -> None:
        """Open the bytes of a LiteRT file; ArtifactError if it is none, or of other shapes."""
        self._served = served
        self._classes = classes
        self._own = local()
        for size in sizes:
            self._open(size)

    def run(self, view: NDArray[np.float32]) -> NetworkOutput:
        """Run the view of one cell, float32[S, S, 3] in [-1, 1], S one of the sizes."""
        network = self._mine(view.shape[0])
        network.interpreter.set_tensor(network.view, view[np.newaxis])
        network.interpreter.invoke()
        return NetworkOutput(*(network.interpreter.get_tensor(each)[0] for each in network.outputs))

    def _mine(self, size: int) -> _OpenNetwork:
        networks: dict[int, _OpenNetwork] = self._own.__dict__.setdefault("networks", {})
        if size not in networks:
            networks[size] = self._open(size)
        return networks[size]

    def _open(self, size: int) -> _OpenNetwork:
        try:
            interpreter = Interpreter(model_content=self._served, num_threads=1)
            (taken,) = interpreter.get_signature_runner().get_input_details().values()
            interpreter.resize_tensor_input(taken["index"], [1, size, size, 3])
            interpreter.allocate_tensors()
            given = interpreter.get_signature_runner().get_output_details()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"The serving form cannot be opened: {error}") from error
        outputs = [given[name] for name in sorted(given)]  # output_0, output_1, output_2
        self._check_shapes(outputs)
        indices = tuple(each["index"] for each in outputs)
        return _OpenNetwork(interpreter=interpreter, view=taken["index"], outputs=indices)

    def _check_shapes(self, outputs: Sequence[Mapping[str, Any]]) -> None:
        given = [each["shape"].tolist() for each in outputs]
        fits = [len(shape) for shape in given] == [2, 2, 4]
        if not (fits and given[0][-1] == given[2][-1] == self._classes):
            raise ArtifactError(f"The serving form does not fit the spec: it gives {given}.")


@dataclass(frozen=True, slots=True)
class _OpenNetwork:
    """An interpreter, and the numbers of its tensors."""

    interpreter: Any
    view: int
    outputs: tuple[int, ...]
