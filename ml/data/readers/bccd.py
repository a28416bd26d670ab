"""BCCD fields: white cells and platelets with their boxes, from VOC XML or from CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from ml.data.names import class_of
from ml.data.readers.listing import Item, Listing
from ml.errors import DatasetError
from ml.strangers import white_boxes
from ml.types import BoundingBox

_LICENCE: Final = "MIT"
_SMALLEST: Final = 10
"""Boxes with a shorter side, in pixels, are slips of the annotator's mouse."""


def read_bccd(source: Path) -> Listing:
    """List the labelled cells of `source`; a group is a field, or the index's own."""
    if (source / "cells.csv").is_file():
        return _from_tables(source)
    root = source if (source / "Annotations").is_dir() else source / "BCCD"
    if not (root / "Annotations").is_dir():
        raise DatasetError(f"No BCCD image set: {source} has neither cells.csv nor Annotations.")
    return _from_voc(root)


def _from_tables(root: Path) -> Listing:
    """White cells whose class cells.csv gives; a field with two cannot say which it means."""
    listing = Listing(source="bccd", items=[], licence=_LICENCE)
    boxes = white_boxes(root / "boxes.csv")
    with (root / "cells.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            label, found = class_of(row["label"]), boxes[row["file"]]
            if label is None:
                listing.left_out["field without a white-cell label"] += 1
            elif len(found) != 1:
                listing.left_out["field without exactly one white-cell box"] += 1
            else:
                path = root / "images" / row["file"]
                listing.items.append(
                    Item(row["file"], label, path=path, group=row["group"], box=found[0])
                )
    return listing


def _from_voc(root: Path) -> Listing:
    """Boxes named for a class; the original set names white cells only WBC, without class."""
    listing = Listing(source="bccd", items=[], licence=_LICENCE)
    for path in sorted((root / "Annotations").glob("*.xml")):
        try:
            tree = ET.parse(path)  # noqa: S314 expat resolves no external entity
        except ET.ParseError:
            listing.left_out["annotation that is not XML"] += 1
            continue
        name = tree.findtext("filename") or f"{path.stem}.jpg"
        image = root / "JPEGImages" / Path(name).name
        for number, element in enumerate(tree.iter("object")):
            _add_object(listing, image, number, element)
    return listing


def _add_object(listing: Listing, image: Path, number: int, element: ET.Element) -> None:
    name = element.findtext("name") or ""
    label, box = class_of(name), _voc_box(element)
    if label is None:
        listing.left_out[f"box named {name}, which is no class"] += 1
    elif box is None:
        listing.left_out["degenerate box"] += 1
    else:
        key = f"{image.name}#{number}"
        listing.items.append(Item(key, label, path=image, group=image.stem, box=box))


def _voc_box(element: ET.Element) -> BoundingBox | None:
    names = ("xmin", "ymin", "xmax", "ymax")
    try:
        x0, y0, x1, y1 = (
            max(0, int(float(element.findtext(f"bndbox/{name}") or ""))) for name in names
        )
    except ValueError:
        return None
    return BoundingBox(x0, y0, x1, y1) if min(x1 - x0, y1 - y0) >= _SMALLEST else None
