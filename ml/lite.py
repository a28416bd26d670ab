"""LiteRT interpreters of one network, one a thread and a shape, so that any thread may run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import local
from typing import Any, Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from ml.errors import ArtifactError

Shapes = Sequence[Sequence[int]]
EVERY: Final = slice(None)


class LiteNetwork:
    """One network that reads a square picture at a time, on one core; threads divide the cores.

    LiteRT releases Python's lock while it computes.
    """

    def __init__(
        self, served: bytes, *, sizes: Sequence[int], fits: Callable[[Shapes], bool]
    ) -> None:
        """Open the bytes of a LiteRT file; ArtifactError if it is none, or `fits` denies it.

        `sizes` are the sides of the pictures; `fits` is asked of the shapes of all outputs.
        """
        self._served = served
        self._fits = fits
        self._own = local()
        for size in sizes:
            self._open(size)

    def run(
        self, view: NDArray[np.float32], wanted: slice = EVERY
    ) -> tuple[NDArray[np.float32], ...]:
        """The outputs for one float32[S, S, 3], S one of the sizes, without the batch's axis.

        `wanted` says which of them are copied out, by default all.
        """
        network = self._mine(view.shape[0])
        network.interpreter.set_tensor(network.view, view[np.newaxis])
        network.interpreter.invoke()
        return tuple(network.interpreter.get_tensor(each)[0] for each in network.outputs[wanted])

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
        if not self._fits(given):
            raise ArtifactError(f"The serving form does not fit the spec: it gives {given}.")


@dataclass(frozen=True, slots=True)
class _OpenNetwork:
    """An interpreter, and the numbers of its tensors."""

    interpreter: Any
    view: int
    outputs: tuple[int, ...]
