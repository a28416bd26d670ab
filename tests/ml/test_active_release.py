"""Which releases serve: those that the settings name, whole and loaded once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from classifier import inference
from ml.artifacts import DEFAULT_DETECTOR, WEIGHTS_NAME
from ml.errors import ArtifactError
from ml.preprocessing import to_png
from ml.synthetic import render_cell


def test_a_tampered_release_stops_the_command(
    tiny_release: Path, tmp_path: Path, settings: Settings
) -> None:
    release = Path(shutil.copytree(tiny_release, tmp_path / "tampered"))
    with (release / WEIGHTS_NAME).open("ab") as stream:
        stream.write(b"!")
    settings.MODEL_RELEASE = release
    picture = tmp_path / "cell.png"
    picture.write_bytes(to_png(render_cell("basophil", 2, 96)))
    with pytest.raises(CommandError, match="is not the released model") as caught:
        call_command("classify", str(picture))
    assert caught.value.returncode == 2


def test_the_release_is_loaded_once_a_process(tiny_release: Path, settings: Settings) -> None:
    settings.MODEL_RELEASE = tiny_release
    assert inference.active_release().name == "tiny"
    assert inference.get_classifier() is inference.get_classifier()


def test_the_explainer_is_of_the_same_release_and_loaded_once(
    tiny_release: Path, settings: Settings
) -> None:
    settings.MODEL_RELEASE = tiny_release
    explainer = inference.get_explainer()
    assert explainer is inference.get_explainer()
    release = inference.active_release()
    assert explainer.model == (release.name, release.version, release.sha256)
    heard: list[tuple[int, int]] = []
    found = explainer.explain(
        render_cell("basophil", 2, 96),
        method="gradcam++",
        on_progress=lambda done, total: heard.append((done, total)),
    )
    assert found.heat.shape == (96, 96)
    assert (found.model, found.version) == (release.name, release.version)
    assert heard[-1][0] == heard[-1][1]


def test_the_detector_is_the_one_that_ships_unless_a_setting_names_another(
    tmp_path: Path, settings: Settings
) -> None:
    settings.DETECTOR_RELEASE = None
    assert inference.active_detector_dir() == DEFAULT_DETECTOR
    settings.DETECTOR_RELEASE = tmp_path
    with pytest.raises(ArtifactError, match="No model release in"):
        inference.get_detector()
