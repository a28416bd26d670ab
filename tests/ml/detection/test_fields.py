"""Annotated fields are read whole, and no picture is both learned and examined."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml.detection.dealing import check_fields_apart, deal_fields
from ml.detection.fields import (
    BCCD,
    TXL_BCCD,
    TXL_BCDD,
    TXL_PBC,
    densest,
    read_bccd_fields,
    read_fields,
    read_txl_fields,
)
from ml.detection.objects import ERYTHROCYTE, LEUKOCYTE, PLATELET
from ml.errors import DatasetError
from tests.ml.detection.drawing import write_image_sets


@pytest.fixture(scope="module")
def image_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_sets(tmp_path_factory.mktemp("data"), fields=12)


def test_a_picture_of_two_lists_is_learned_from_once_with_the_denser_one(image_sets: Path) -> None:
    fields = read_fields(image_sets)
    assert Counter(each.source for each in fields) == {
        BCCD: 12, TXL_BCCD: 6, TXL_PBC: 12, TXL_BCDD: 12,
    }  # fmt: skip
    chosen = densest(fields)
    assert Counter(each.source for each in chosen)[BCCD] == 6
    pictures = [(each.record.label, each.original) for each in chosen]
    assert len(set(pictures)) == len(pictures)


def test_no_group_and_no_picture_lies_in_two_folds(image_sets: Path) -> None:
    for seed in range(5):
        folds = deal_fields(image_sets, seed=seed)
        check_fields_apart(folds)
        assert all(folds.values())
        dealt = {each.record.key for fields in folds.values() for each in fields}
        assert len(dealt) == len(read_fields(image_sets))


def test_a_leaking_split_is_refused(image_sets: Path) -> None:
    folds = deal_fields(image_sets, seed=1)
    twin = next(each for each in folds["train"] if each.source == TXL_BCCD)
    with pytest.raises(DatasetError, match="lies in both"):
        check_fields_apart({**folds, "test": [*folds["test"], twin]})
    renamed = replace(twin, record=replace(twin.record, group="another"))
    with pytest.raises(DatasetError, match=twin.original):
        check_fields_apart({**folds, "test": [*folds["test"], renamed]})


def test_slips_and_doubles_are_left_out(image_sets: Path, tmp_path: Path) -> None:
    for name in ("bccd", "pbc", "txl"):
        (tmp_path / name).symlink_to(image_sets / name)
    (tmp_path / "bccd").unlink()
    (tmp_path / "bccd").mkdir()
    (tmp_path / "bccd" / "cells.csv").write_text("file,label,group\na.png,,1\nb.png,,2\n")
    rows = [
        "a.png,RBC,10,10,60,60", "a.png,RBC,11,10,60,61", "a.png,RBC,30,40,30,90",
        "a.png,WBC,10,10,60,60",
    ]  # fmt: skip
    text = "\n".join(["file,class,xmin,ymin,xmax,ymax", *rows])
    (tmp_path / "bccd" / "boxes.csv").write_text(text + "\n")
    listing = read_bccd_fields(tmp_path)
    (field,) = listing.fields
    assert field.kinds.tolist() == [ERYTHROCYTE, LEUKOCYTE]
    assert listing.left_out == {
        "degenerate box": 1, "box drawn twice": 1, "field without a box of a red or white cell": 1
    }  # fmt: skip


def test_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"boxes\.csv"):
        read_bccd_fields(tmp_path)


def test_the_scale_of_a_field_is_that_of_its_whole_red_cells(image_sets: Path) -> None:
    for each in read_bccd_fields(image_sets).fields:
        assert each.red_cell(320, 240) == pytest.approx(51, abs=1)
    bare = replace(each, boxes=np.empty((0, 4), np.float32), kinds=np.empty(0, np.int64))
    with pytest.raises(DatasetError, match="no red or white cell"):
        bare.red_cell(320, 240)


def test_the_real_sets_are_as_large_as_their_notes_say(data_dir: Path) -> None:
    bccd, txl = read_bccd_fields(data_dir), read_txl_fields(data_dir)
    assert len(bccd.fields) + bccd.left_out["field without a box of a red or white cell"] == 289
    assert bccd.left_out["degenerate box"] == 2
    counts = Counter(int(kind) for each in bccd.fields for kind in each.kinds)
    lost = bccd.left_out["degenerate box"] + bccd.left_out["box drawn twice"]
    assert counts == {ERYTHROCYTE: 3265 - lost, LEUKOCYTE: 294, PLATELET: 271}
    assert len(txl.fields) == 717 - txl.left_out["picture whose original is not in its set"] == 716
    counts = Counter(int(kind) for each in txl.fields for kind in each.kinds)
    assert counts[PLATELET] == 462
    assert 10_276 - 80 < counts[ERYTHROCYTE] < 10_276


def test_the_real_sets_never_leak(data_dir: Path) -> None:
    folds = deal_fields(data_dir, seed=20260101)
    check_fields_apart(folds)
    sizes = {name: Counter(each.source for each in fields) for name, fields in folds.items()}
    groups = {each.original: each.record.group for fields in folds.values() for each in fields}
    assert groups["image-107.png"] == groups["image-59.png"] != groups["image-8.png"]
    for source in (BCCD, TXL_PBC, TXL_BCDD):
        total = sum(counts[source] for counts in sizes.values())
        assert 0.12 < sizes["test"][source] / total < 0.18
