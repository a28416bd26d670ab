"""From annotated fields to a detector that serves, in miniature."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import CARD_NAME, SPEC_NAME, WEIGHTS_NAME
from ml.cli import main
from ml.detection import evaluation, training
from ml.detection.artifact import verify_detector
from ml.detection.evaluation import ALL, COMPLETE
from ml.detection.fields import SOURCES
from ml.detection.inference import load_detector, open_network
from ml.detection.network import HEAT, SHAPES
from ml.detection.objects import KINDS
from ml.detection.releasing import load_detector_model
from ml.detection.training import DetectorPlan
from ml.errors import ArtifactError
from ml.progress import Progress, load_progress, save_progress
from ml.report.bootstrap import replicate_weights
from ml.serving_form import SERVED_NAME, read_served
from tests.ml.detection.drawing import draw_field, write_image_sets


@pytest.fixture(scope="module", autouse=True)
def few_draws() -> Iterator[None]:
    """Intervals from twenty draws: a thousand take longer than all the rest."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(evaluation, "replicate_weights", partial(replicate_weights, replicates=20))
        yield


@pytest.fixture(scope="module")
def image_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_sets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run_dir(image_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ml.commands.detector.imagenet_weights", lambda *_: None)
        patched.setattr(training, "save_progress", stop_after_saving)
        with pytest.raises(Stopped):
            main(train_arguments(image_sets, folder))
    assert main(train_arguments(image_sets, folder)) == 0
    return folder


class Stopped(Exception):
    """Somebody pulled the plug."""


def stop_after_saving(run_dir: Path, progress: Progress) -> None:
    save_progress(run_dir, progress)
    raise Stopped


def train_arguments(data: Path, run_dir: Path) -> list[str]:
    places = ["--data", str(data), "--run-dir", str(run_dir)]
    settings = ["--epochs", "2", "--head-epochs", "0", "--view-size", "64", "--batch-size", "8"]
    return ["detector", "train", *places, *settings]


@pytest.fixture(scope="module")
def release(image_sets: Path, run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "detector"
    places = ["--data", str(image_sets), "--run-dir", str(run_dir)]
    names = ["--version", "0.0.1", "--release", str(folder)]
    assert main(["detector", "release", *places, *names]) == 0
    return folder


def test_a_run_ends_in_a_release_that_names_its_data(release: Path) -> None:
    spec = verify_detector(release)
    assert spec.name == "detector-mobilenetv2"
    assert set(spec.thresholds) == set(KINDS)
    assert {COMPLETE, ALL} <= set(spec.metrics["test"]) <= {*SOURCES, COMPLETE, ALL}
    assert all(source["fingerprints"]["train"] for source in spec.data["sources"])
    card = (release / CARD_NAME).read_text()
    assert spec.sha256 in card
    assert "--view-size 64" in card
    files = (path.stat().st_size for path in release.iterdir())
    assert sum(files) < 25_000_000


def test_a_release_reads_a_field(release: Path) -> None:
    field = draw_field(1, 640, 480, red_cell=100)
    reading = load_detector(release).detect(field.pixels)
    assert reading.scale.red_cell > 0
    for detection in reading.detections:
        assert detection.box.x1 <= 640
        assert detection.box.y1 <= 480


def test_the_serving_form_sees_what_keras_sees(release: Path) -> None:
    served = open_network(read_served(release, verify_detector(release).sha256))
    model = load_detector_model(release)
    for size in (256, 512):
        view = np.random.default_rng(size).uniform(-1, 1, (size, size, 3)).astype(np.float32)
        wanted = model(view[np.newaxis], training=False)
        for found, name in zip(served(view), (HEAT, SHAPES), strict=True):
            assert np.allclose(found, wanted[name][0].numpy(), atol=1e-4)


def test_the_command_examines_a_release(
    release: Path, image_sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--data", str(image_sets), "--release", str(release), "--out", str(tmp_path)]
    assert main(["detector", "evaluate", *places]) == 0
    assert "mAP50" in capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["release"]["sha256"] == verify_detector(release).sha256
    assert report["sources"] == verify_detector(release).metrics["test"]
    assert (tmp_path / "report.png").read_bytes()[:4] == b"\x89PNG"
    assert list((tmp_path / "worst").glob("01-*.png"))


@pytest.mark.parametrize("name", [WEIGHTS_NAME, SERVED_NAME])
def test_other_bytes_are_refused(release: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(release, tmp_path / "copy")
    with (tmp_path / "copy" / name).open("ab") as stream:
        stream.write(b"!")
    with pytest.raises(ArtifactError, match="is not the released model"):
        load_detector(tmp_path / "copy")


def test_a_spec_of_other_kinds_or_thresholds_is_refused(release: Path, tmp_path: Path) -> None:
    for change in ({"kinds": ["cell"]}, {"thresholds": {"erythrocyte": 0.5}}, {"stride": 8}):
        fields = {**json.loads((release / SPEC_NAME).read_text()), **change}
        (tmp_path / SPEC_NAME).write_text(json.dumps(fields))
        with pytest.raises(ArtifactError):
            verify_detector(tmp_path)


def test_a_run_that_was_stopped_goes_on_after_its_last_whole_epoch(run_dir: Path) -> None:
    progress = load_progress(run_dir)
    assert [row["epoch"] for row in progress.history] == [1, 2]
    assert all(np.isfinite(row["loss"]) for row in progress.history)


def test_a_finished_run_is_not_run_again_and_another_plan_is_refused(
    run_dir: Path, image_sets: Path
) -> None:
    before = (run_dir / "progress.json").read_text()
    assert main(train_arguments(image_sets, run_dir)) == 0
    assert (run_dir / "progress.json").read_text() == before
    with pytest.raises(ValueError, match="another plan"):
        main([*train_arguments(image_sets, run_dir), "--seed", "3"])


def test_views_are_of_a_size_that_the_network_can_read() -> None:
    with pytest.raises(ValueError, match="multiple of 32"):
        DetectorPlan(view_size=100)


def test_serving_loads_no_tensorflow(release: Path) -> None:
    program = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from ml.detection.inference import load_detector\n"
        f"load_detector(Path({str(release)!r})).detect(np.full((90, 90, 3), 240, np.uint8))\n"
        "assert not {'tensorflow', 'keras', 'pycocotools'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
