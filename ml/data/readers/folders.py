"""A folder with a folder of images a class; Kaggle's blood-cells set is one of these."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ml.data.names import class_names_of
from ml.data.readers.listing import Item, Listing, images_in
from ml.errors import DatasetError

_KAGGLE: Final = ("dataset2-master", "images")
_KAGGLE_FOLDS: Final = ("TRAIN", "TEST", "TEST_SIMPLE")
KAGGLE_WARNING: Final = (
    "This set is 12 to 156 rotated, mirrored and shifted copies each of 348 BCCD fields, and the "
    "number in a file's name does not say of which. Its TRAIN and TEST folders and its names are "
    "ignored; copies are grouped by how they look, which misses some. Scores on any split of it "
    "are too high: use BCCD's own fields instead where you can."
)


def read_folders(source: Path) -> Listing:
    """List `source`/CLASS/...; raise DatasetError that lists every unknown class folder."""
    return Listing(source=source.resolve().name, items=_items(source, source))


def read_kaggle(source: Path) -> Listing:
    """List .../images/{TRAIN,TEST,TEST_SIMPLE}/CLASS; every fold of it, as one set."""
    root = next(
        (each for each in (source.joinpath(*_KAGGLE), source / "images", source)
         if (each / "TRAIN").is_dir()),
        None,
    )  # fmt: skip
    if root is None:
        raise DatasetError(f"No blood-cells set: {source} has no images/TRAIN.")
    folds = [root / name for name in _KAGGLE_FOLDS if (root / name).is_dir()]
    items = [item for fold in folds for item in _items(fold, root)]
    return Listing(
        source="kaggle-blood-cells", items=items, licence="MIT", warnings=[KAGGLE_WARNING]
    )


def _items(folder: Path, root: Path) -> list[Item]:
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder.")
    classes = [each for each in sorted(folder.iterdir()) if each.is_dir()]
    if not classes:
        raise DatasetError(f"{folder} has no class folders.")
    labels = class_names_of(each.name for each in classes)
    return [
        Item(key=path.relative_to(root).as_posix(), label=labels[each.name], path=path)
        for each in classes
        for path in images_in(each)
    ]
