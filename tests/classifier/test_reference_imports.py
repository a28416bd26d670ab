"""The reference library: importing pictures."""

from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import User
from classifier import inference
from classifier.models import ReferenceCell
from classifier.services import reference_cells
from classifier.services.reference_imports import (
    class_named,
    import_folder,
)
from ml.fake import FakeClassifier
from ml.preprocessing import to_png
from ml.synthetic import render_cell, render_field
from tests.clinical import picture_bytes
from tests.library import ATLAS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes, one folder of no class, and files that are no picture of a cell."""
    pictures = {
        "Neutrophils/one.png": to_png(render_cell("neutrophil", seed=1, size=128)),
        "Neutrophils/deep/two.png": to_png(render_cell("neutrophil", seed=2, size=128)),
        "Plasma cell/three.png": to_png(render_cell("lymphocyte", seed=3, size=128)),
        "Neutrophils/again.png": to_png(render_cell("neutrophil", seed=1, size=128)),
        "Neutrophils/notes.txt": b"not a picture",
        "Neutrophils/tiny.png": picture_bytes(size=(8, 8)),
        "Neutrophils/field.png": to_png(render_field(1, 640, 480, cells=3, red_cell=50)),
        "Holidays/four.png": to_png(render_cell("monocyte", seed=4, size=128)),
    }
    for name, data in pictures.items():
        path = tmp_path / "atlas" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "atlas"


def test_a_folder_of_class_folders_is_imported(db: None, folder: Path) -> None:
    came = {
        str(each.path.relative_to(folder)): (each.outcome, each.reason)
        for each in import_folder(folder, provenance=ATLAS, actor=User.system())
    }
    assert came["Neutrophils/again.png"] == ("added", "")
    assert came["Neutrophils/one.png"] == ("known", "")
    assert came["Neutrophils/deep/two.png"][0] == came["Plasma cell/three.png"][0] == "added"
    assert "8 x 8 pixels" in came["Neutrophils/tiny.png"][1]
    assert "whole field" in came["Neutrophils/field.png"][1]
    assert came["Neutrophils/notes.txt"][0] == "refused"
    assert "names no cell class" in came["Holidays/four.png"][1]
    kinds = ReferenceCell.objects.order_by("cell_type").values_list("cell_type", flat=True)
    assert list(kinds) == ["neutrophil", "neutrophil", "plasma_cell"]


def test_the_command_is_safe_to_repeat_and_tells_what_it_refused(
    db: None, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "get_classifier", FakeClassifier)
    arguments = ["import_reference_cells", str(folder), "--source", "Atlas", "--licence", "CC0"]
    for expected in ("3 added, 1 known already, 4 refused", "0 added, 4 known already, 4 refused"):
        with pytest.raises(SystemExit):
            call_command(*arguments)
        told = capsys.readouterr()
        assert expected in told.out
        assert "field.png: It shows a whole field" in told.err
    assert set(ReferenceCell.objects.values_list("source", "licence")) == {("Atlas", "CC0")}


def test_a_retired_picture_does_not_come_back(folder: Path, pathologist: User) -> None:
    list(import_folder(folder, provenance=ATLAS, actor=User.system()))
    for reference in ReferenceCell.objects.all():
        reference_cells.retire(reference_id=reference.pk, actor=pathologist, reason="Unfit")
    outcomes = {
        each.outcome for each in import_folder(folder, provenance=ATLAS, actor=User.system())
    }
    assert outcomes == {"known", "refused"}


@pytest.mark.parametrize(
    ("name", "cell_type"),
    [
        ("BLAST", "blast"),
        ("blasts", "blast"),
        ("Atypical_lymphocyte", "atypical_lymphocyte"),
        ("ig", "immature_granulocyte"),
        ("Unidentified", ""),
        ("other", ""),
    ],
)
def test_folders_are_named_as_image_sets_name_them(name: str, cell_type: str) -> None:
    assert class_named(name) == cell_type
