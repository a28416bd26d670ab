"""What an evaluation looks at: labelled cells and what a release says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.data.records import Record, fingerprint, labels_of


@dataclass(frozen=True)
class Subject:
    """Cells of one source with calibrated probabilities float64[N, C], in `class_names`' order.

    `is_accepted` bool[N] says which the release did not refer; `margin` is the side of the square
    cut round a cell over its size, None for pictures of one cell.
    """

    name: str
    records: Sequence[Record]
    class_names: tuple[str, ...]
    probabilities: NDArray[np.float64]
    is_accepted: NDArray[np.bool_]
    margin: float | None = None
    left_out: int = 0
    """Cells of classes that the model does not know or nobody asked for; no figure counts them."""
    note: str = ""
    """What a reader must know before believing the figures."""

    @property
    def truth(self) -> NDArray[np.int64]:
        """Class indices int64[N]."""
        return labels_of(self.records, self.class_names)

    @property
    def groups(self) -> NDArray[np.int64]:
        """A number for each cell, int64[N], the same for cells of one group."""
        names = [record.group or record.key for record in self.records]
        return np.unique(names, return_inverse=True)[1].astype(np.int64)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the sorted file names and labels."""
        return fingerprint(self.records)
