"""Run a served network with LiteRT: the views of a cell in, logits, features and class maps out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import local
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from ml.errors import ArtifactError
from ml.turns import upright


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """What a network says of one view.

    `logits` are float32[C]; `features` float32[K], the pooled ones that the dense layer reads;
    `maps` float32[h, w, C], each class's evidence by place, whose mean is the class's logit.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32]
    maps: NDArray[np.float32]


def average(outputs: Sequence[NetworkOutput]) -> NetworkOutput:
    """The mean of what a network says of one view in 1, 2 or 4 turns, its maps as the view lies."""
    turns = len(outputs)
    maps = [upright(output.maps, number, turns) for number, output in enumerate(outputs)]
    return NetworkOutput(
        logits=np.mean([output.logits for output in outputs], axis=0),
        features=np.mean([output.features for output in outputs], axis=0),
        maps=np.mean(maps, axis=0),
    )


class Engine:
    """One network, to be run from any thread; each thread gets an interpreter of its own.

    Cells go through one at a time, on one core, so the answer for a cell never depends on what
    it came with, and threads divide the cores. LiteRT releases Python's lock while it computes.
    """

    def __init__(self, served: bytes, *, input_size: int, classes: int, turns: int) -> None:
        """Open the bytes of a LiteRT file; ArtifactError if it is none, or of other shapes."""
        self._served = served
        self._input_size = input_size
        self._classes = classes
        self._turns = turns
        self._own = local()
        self._open()

    def run(self, views: NDArray[np.float32]) -> list[NetworkOutput]:
        """Run the turns of one cell, float32[turns, S, S, 3] in [-1, 1]."""
        if not hasattr(self._own, "network"):
            self._own.network = self._open()
        network: _OpenNetwork = self._own.network
        found: list[NetworkOutput] = []
        for start in range(0, self._turns, network.together):
            network.interpreter.set_tensor(network.views, views[start : start + network.together])
            network.interpreter.invoke()
            parts = [network.interpreter.get_tensor(output) for output in network.outputs]
            found += [NetworkOutput(*each) for each in zip(*parts, strict=True)]
        return found

    def _open(self) -> _OpenNetwork:
        try:
            interpreter = Interpreter(model_content=self._served, num_threads=1)
            interpreter.allocate_tensors()
            signature = interpreter.get_signature_runner()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"The serving form cannot be opened: {error}") from error
        taken, given = signature.get_input_details(), signature.get_output_details()
        outputs = [given[name] for name in sorted(given)]  # output_0, output_1, output_2
        self._check_shapes([*taken.values()], outputs)
        (views,) = taken.values()
        return _OpenNetwork(
            interpreter=interpreter,
            views=views["index"],
            together=int(views["shape"][0]),
            outputs=tuple(each["index"] for each in outputs),
        )

    def _check_shapes(
        self, inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]
    ) -> None:
        taken = [each["shape"].tolist() for each in inputs]
        given = [each["shape"].tolist() for each in outputs]
        fits = [shape[1:] for shape in taken] == [[self._input_size, self._input_size, 3]]
        fits = fits and self._turns % taken[0][0] == 0
        fits = fits and [len(shape) for shape in given] == [2, 2, 4]
        if not (fits and given[0][-1] == given[2][-1] == self._classes):
            raise ArtifactError(f"The serving form does not fit the spec: {taken} to {given}.")


@dataclass(frozen=True, slots=True)
class _OpenNetwork:
    """An interpreter, the numbers of its tensors, and how many views it takes together."""

    interpreter: Any
    views: int
    together: int
    outputs: tuple[int, ...]
