"""BloodMNIST in MedMNIST's .npz, of any picture size."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from ml.data.readers.listing import Item, Listing
from ml.errors import DatasetError

LABELS: Final = (
    "basophil", "eosinophil", "erythroblast", "immature_granulocyte",
    "lymphocyte", "monocyte", "neutrophil", "platelet",
)  # fmt: skip
"""Classes 0 to 7 of BloodMNIST (Yang et al., Scientific Data 2023;10:41)."""


def read_medmnist(source: Path) -> Listing:
    """List train, val and test of one .npz; pictures uint8[N, S, S, 3], labels [N, 1] in 0..7."""
    items: list[Item] = []
    try:
        with np.load(source, allow_pickle=False) as arrays:
            for part in ("train", "val", "test"):
                images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"].ravel()
                if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
                    raise DatasetError(f"{source} holds no 8-bit colour pictures.")
                if len(labels) != len(images) or labels.min() < 0 or labels.max() > 7:
                    raise DatasetError(f"{source} is not BloodMNIST: its labels are not 0 to 7.")
                items += [
                    Item(f"{part}/{i:05}.png", LABELS[int(label)], pixels=image)
                    for i, (image, label) in enumerate(zip(images, labels, strict=True))
                ]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{source} is not a MedMNIST file: {error}.") from error
    return Listing(
        source="bloodmnist",
        items=items,
        licence="CC BY 4.0",
        warnings=["BloodMNIST is PBC made small: never examine on one what learned on the other."],
    )
