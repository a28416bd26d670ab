"""PBC, with an index.csv or as the plain folders it is published in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ml.data.readers.folders import read_folders
from ml.data.readers.listing import Item, Listing
from ml.datasets import read_pbc_index

_LICENCE: Final = "CC BY 4.0"


def read_pbc_set(source: Path) -> Listing:
    """List PBC by `source`/index.csv (file, class, group) or, without one, by class folder."""
    if not (source / "index.csv").is_file():
        return Listing(source="pbc", items=read_folders(source).items, licence=_LICENCE)
    items = [
        Item(key=record.key, label=record.label, path=record.path, group=record.group)
        for record in read_pbc_index(source)
    ]
    return Listing(source="pbc", items=items, licence=_LICENCE)
