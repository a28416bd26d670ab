"""Fixtures of the registry of models: releases as archives, and a place for workers' copies."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pytest_django import Settings

from classifier import inference
from ml.artifacts import FOUR_CLASS_RELEASE
from tests.learning.judging import bench, golden

__all__ = ["bench", "golden"]

Pack = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture(autouse=True)
def _copies_apart(settings: Settings, tmp_path: Path) -> None:
    """Workers' copies of releases in a folder of each test's own, and none in memory."""
    settings.MODEL_CACHE_DIR = tmp_path / "copies"
    inference._stored.cache_clear()


@pytest.fixture(scope="session")
def four_class_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four-class release that ships, as somebody would pack it."""
    path = tmp_path_factory.mktemp("archive") / "cells4.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in FOUR_CLASS_RELEASE.iterdir():
            archive.write(file, f"cells4/{file.name}")
    return path


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Pack files into a zip under the names given."""

    def make(files: Mapping[str, bytes]) -> Path:
        path = tmp_path / "packed.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path

    return make


@pytest.fixture
def tar_with_link(tmp_path: Path) -> Path:
    """A tar whose weights are a link to a file of the machine."""
    path = tmp_path / "link.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("model.weights.h5")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        spec = tarfile.TarInfo("spec.json")
        archive.addfile(spec, io.BytesIO(b""))
    return path
