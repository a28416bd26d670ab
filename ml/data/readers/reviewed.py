"""Reviewed cases exported by the product: a manifest in CSV or JSON lines, beside its images."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ml.data.names import class_of
from ml.data.readers.listing import Item, Listing
from ml.errors import DatasetError

_COLUMNS: Final = ("file", "label", "case", "patient", "consent", "licence")
_YES: Final = frozenset({"1", "true", "yes"})


def read_reviewed(source: Path) -> Listing:
    """List the manifest's rows whose patient consented; a group is a patient.

    Columns: file (relative to the manifest), label, case, patient (a pseudonym), consent
    (true or false), licence. Labels that no model has, as of an artefact, are left out.
    """
    listing = Listing(source="reviewed", items=[])
    try:
        for row in _rows(source):
            _add_row(listing, source.parent, row)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{source} is not a manifest: {error}.") from error
    return listing


def _rows(source: Path) -> Iterator[dict[str, str]]:
    rows: Iterator[dict[str, Any]]
    with source.open(newline="", encoding="utf-8") as lines:
        rows = iter(csv.DictReader(lines)) if source.suffix == ".csv" else map(json.loads, lines)
        for row in rows:
            missing = [name for name in _COLUMNS if name not in row]
            if missing:
                raise DatasetError(f"{source} lacks the columns {', '.join(missing)}.")
            yield {name: str(row[name] if row[name] is not None else "") for name in _COLUMNS}


def _add_row(listing: Listing, folder: Path, row: dict[str, str]) -> None:
    label = class_of(row["label"])
    path = (folder / row["file"]).resolve()
    if row["consent"].strip().lower() not in _YES:
        listing.left_out["without consent"] += 1
    elif not row["patient"].strip():
        listing.left_out["without a patient's pseudonym"] += 1
    elif label is None:
        listing.left_out[f"labelled {row['label']}, which is no class"] += 1
    elif not path.is_relative_to(folder.resolve()):
        listing.left_out["file outside the manifest's folder"] += 1
    else:
        listing.items.append(
            Item(row["file"], label, path=path, group=row["patient"], licence=row["licence"])
        )
