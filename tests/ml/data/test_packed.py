"""Labelled pictures out of an archive that a stranger may have packed."""

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from ml.data import packed
from ml.data.packed import cut_pictures, list_packed, unpack_pictures
from ml.errors import DatasetError
from tests.clinical import picture_bytes

LIMIT = 1_000_000
HEADER = "key,path,label,group,source,licence,sha256,phash,box,fold"


class Pack(Protocol):
    """Packs files into a zip, unpacks it, and returns where the pictures begin."""

    def __call__(self, files: Mapping[str, bytes], *, most_bytes: int = LIMIT) -> Path: ...


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Pack files into a zip, unpack it, and return where the pictures begin."""

    def make(files: Mapping[str, bytes], *, most_bytes: int = LIMIT) -> Path:
        path = tmp_path / "packed.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return unpack_pictures(path, tmp_path / "unpacked", most_bytes=most_bytes)

    return make


def picture(seed: int) -> bytes:
    return picture_bytes(seed, size=(24, 24))


def quiet(step: str, done: int, total: int) -> None:
    """Nobody asks how far it is."""


def test_takes_class_folders_whatever_they_are_packed_in(pack: Pack, tmp_path: Path) -> None:
    folder = pack({
        "my set/Neutrophils/a.png": picture(1),
        "my set/LYMPH/b.png": picture(2),
        "__MACOSX/my set/._a.png": b"litter",
        "my set/.DS_Store": b"litter",
    })  # fmt: skip
    cells, again = cut_pictures(list_packed(folder), tmp_path / "out", quiet)
    assert [(each.label, each.key) for each in cells] == [
        ("lymphocyte", "LYMPH/b.png"), ("neutrophil", "Neutrophils/a.png"),
    ]  # fmt: skip
    assert again == 0
    assert all((tmp_path / "out" / each.file).read_bytes().startswith(b"\x89PNG") for each in cells)


def test_takes_a_catalogue_with_groups_and_boxes(pack: Pack, tmp_path: Path) -> None:
    rows = f"{HEADER}\n1,field.png,NEU,patient 7,north,MIT,,,2 2 14 14,\n"
    folder = pack({"field.png": picture(1), "catalogue.csv": rows.encode()})
    (cell,), _ = cut_pictures(list_packed(folder), tmp_path / "out", quiet)
    assert (cell.key, cell.label, cell.group) == ("north/1", "neutrophil", "patient 7")


def test_the_same_picture_again_is_in_once(pack: Pack, tmp_path: Path) -> None:
    folder = pack({"neutrophil/a.png": picture(1), "neutrophil/b.png": picture(1)})
    cells, again = cut_pictures(list_packed(folder), tmp_path / "out", quiet)
    assert (len(cells), again) == (1, 1)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"../neutrophil/a.png": b"x"}, "leads out of the archive"),
        ({"/neutrophil/a.png": b"x"}, "leads out of the archive"),
        ({"a/b/c/d/e.png": b"x"}, "lies too deep"),
        ({"neutrophil/run.exe": b"x"}, "is no picture"),
        ({"neutrophil/a.png": b"0" * (LIMIT + 1)}, "larger than is allowed"),
    ],
)
def test_refuses_to_unpack_what_is_strange(
    pack: Pack, files: Mapping[str, bytes], words: str
) -> None:
    with pytest.raises(DatasetError, match=words):
        pack(files)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.png": b"x"}, "neither catalogue.csv nor a folder for each class"),
        ({"blobs/a.png": b"x", "neutrophil/b.png": b"x"}, "Unknown class names: blobs"),
        ({"neutrophil/": b"", "monocyte/": b""}, "neither|no picture"),
        ({"catalogue.csv": f"{HEADER}\n1,/etc/passwd,neutrophil,g,s,l,,,,\n".encode()},
         "names pictures that aren't packed: s/1"),
        ({"catalogue.csv": f"{HEADER}\n1,a.png,blob,g,s,l,,,,\n".encode(), "a.png": b"x"},
         "Unknown classes: blob"),
        ({"catalogue.csv": f"{HEADER}\n1,a.png\n".encode(), "a.png": b"x"}, "fewer columns"),
        ({"catalogue.csv": b"\xff\xfe\x00", "a.png": b"x"}, "no table in UTF-8"),
        ({"catalogue.csv": b"nothing\n1\n", "a.png": b"x"}, "other columns than a catalogue"),
    ],
)  # fmt: skip
def test_refuses_what_does_not_say_which_cell_is_which(
    pack: Pack, files: Mapping[str, bytes], words: str
) -> None:
    with pytest.raises(DatasetError, match=words):
        list_packed(pack(files))


def test_refuses_pictures_that_cannot_be_read_by_name(pack: Pack, tmp_path: Path) -> None:
    folder = pack({"neutrophil/a.png": picture(1), "neutrophil/b.png": picture(2)[:80]})
    with pytest.raises(DatasetError, match=r"1 pictures can't be used: neutrophil/b.png \("):
        cut_pictures(list_packed(folder), tmp_path / "out", quiet)


def test_pictures_with_the_same_fault_are_named_together(pack: Pack, tmp_path: Path) -> None:
    folder = pack({f"neutrophil/{number}.png": b"nothing" for number in range(7)})
    with pytest.raises(DatasetError) as refusal:
        cut_pictures(list_packed(folder), tmp_path / "out", quiet)
    assert str(refusal.value).startswith("7 pictures can't be used: neutrophil/0.png, neutrophil/1")
    assert "and 2 more (" in str(refusal.value)
    assert str(refusal.value).count("(") == 1


def test_refuses_one_picture_in_two_classes(pack: Pack, tmp_path: Path) -> None:
    folder = pack({"neutrophil/a.png": picture(1), "monocyte/a.png": picture(1)})
    with pytest.raises(DatasetError, match=r"two classes: monocyte/a\.png and neutrophil/a\.png"):
        cut_pictures(list_packed(folder), tmp_path / "out", quiet)


def test_refuses_links_doubles_too_many_files_and_what_is_no_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("neutrophil/a.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DatasetError, match="is a link"):
        unpack_pictures(path, tmp_path / "1", most_bytes=LIMIT)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("neutrophil/a.png", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("neutrophil/a.png", b"2")
    with pytest.raises(DatasetError, match="two files of one name"):
        unpack_pictures(path, tmp_path / "2", most_bytes=LIMIT)
    monkeypatch.setattr(packed, "MOST_FILES", 1)
    with pytest.raises(DatasetError, match="more than 1 files"):
        unpack_pictures(path, tmp_path / "3", most_bytes=LIMIT)
    path.write_bytes(b"no archive at all")
    with pytest.raises(DatasetError, match="no zip archive"):
        unpack_pictures(path, tmp_path / "4", most_bytes=LIMIT)
