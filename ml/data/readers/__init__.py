"""Readers of image sets, one layout each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ml.data.readers.bccd import read_bccd
from ml.data.readers.folders import read_folders, read_kaggle
from ml.data.readers.listing import Listing
from ml.data.readers.medmnist import read_medmnist
from ml.data.readers.pbc import read_pbc_set
from ml.data.readers.reviewed import read_reviewed

READERS: Final[Mapping[str, Callable[[Path], Listing]]] = {
    "pbc": read_pbc_set,
    "bccd": read_bccd,
    "kaggle": read_kaggle,
    "medmnist": read_medmnist,
    "folders": read_folders,
    "reviewed": read_reviewed,
}
