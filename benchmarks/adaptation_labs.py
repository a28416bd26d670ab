"""New laboratories on which adapting is measured, as a release's frozen network sees them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ml.adapting.heads import Plane
from ml.adapting.learning import Known, read_known
from ml.architectures import build, imagenet_weights
from ml.artifacts import WEIGHTS_NAME, ReleaseSpec, read_spec, sha256_of, write_spec
from ml.augmentation import Strength, jitter_camera, jitter_stain
from ml.calibration import fit_temperature, softmax
from ml.conformal import fit as fit_quantiles
from ml.data.pixels import read_cell
from ml.data.records import Record, labels_of
from ml.data.splits import folds_by_group
from ml.engine import open_engine
from ml.exporting import export_release
from ml.head_fitting import DenseLayer
from ml.looking import LookedAt, look_at_pictures
from ml.novelty import fit as fit_novelty
from ml.novelty_fitting import choose_examples
from ml.referral_fitting import MISCOVERAGES
from ml.sources import PBC, of_classes, read_bccd_records, read_source

SEED: Final = 20260101
_HOME_CELLS: Final = 400
"""Of each class of PBC's training fold, from which heads that never saw BCCD are fitted."""

PBC_ONLY_SIDE: Final = 128
"""Pixels a side at which release pbc8 1.0.0 learned to read cells."""

MADE: Final = {"purple": 5, "grey": 9}
"""Seeds of two stains and cameras, chosen as the release reads 67 % and 81 % of their cells."""

_MADE_SIDE: Final = 180
_MADE_QUALITY: Final = 70

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Laboratory:
    """A new laboratory's cells, and cells of the home laboratory that nothing was fitted on."""

    name: str
    known: Known
    cells: LookedAt
    home: LookedAt


def find_laboratories(
    release_dir: Path,
    data_dir: Path,
    weights: Path | None,
    cache: Path,
    *,
    pbc_only: Path | None = None,
) -> list[Laboratory]:
    """Two that are made of one half of PBC's validation fold, and BCCD, as several networks see it.

    Home is the other half. All networks have heads fitted to PBC alone where BCCD is read.
    `pbc_only` are weights that never learned from BCCD.
    """
    names = read_spec(release_dir).class_names
    dealt = read_source(PBC, data_dir, seed=SEED)
    lent, home_half = folds_by_group(of_classes(dealt["validation"], names), 2, SEED)
    training = sample(of_classes(dealt["train"], names), names)
    strangers = of_classes(read_bccd_records(data_dir), names)
    networks = _networks(release_dir, weights, cache, pbc_only)
    known = read_known(release_dir)
    home = _see(release_dir, home_half, cache / "own-home.npz", names)
    found = [
        Laboratory(
            f"made, {name}",
            known,
            _see(release_dir, lent, cache / f"made-{name}.npz", names, change=camera(seed)),
            home,
        )
        for name, seed in MADE.items()
    ]
    for name, mark, folder in networks:
        learned, calibrating, seen, own_home = (
            _see(folder, records, cache / f"{mark}-{part}.npz", names)
            for part, records in (
                ("train", training),
                ("calibration", lent),
                ("bccd", strangers),
                ("home", home_half),
            )
        )
        fitted = at_home(replace(known.spec, closer=None), learned, calibrating)
        found.append(Laboratory(f"BCCD, {name} network", fitted, seen, own_home))
    return found


def sample(records: Sequence[Record], names: Sequence[str]) -> list[Record]:
    """As many of each class."""
    rng, labels = np.random.default_rng(0), labels_of(records, names)
    each = [
        rng.permutation(np.flatnonzero(labels == index))[:_HOME_CELLS]
        for index in range(len(names))
    ]
    return [records[index] for index in np.sort(np.concatenate(each))]


def camera(seed: int) -> Callable[[Pixels], Pixels]:
    """One laboratory's look: the same stain, light and camera for every picture."""

    def photograph(pixels: Pixels) -> Pixels:
        stained = jitter_stain(pixels, np.random.default_rng(seed), Strength())
        lit = jitter_camera(stained, np.random.default_rng(seed + 1), Strength())
        small = cv2.resize(lit, (_MADE_SIDE, _MADE_SIDE), interpolation=cv2.INTER_AREA)
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _MADE_QUALITY])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)

    return photograph


def _see(
    release_dir: Path,
    records: Sequence[Record],
    path: Path,
    names: Sequence[str],
    *,
    change: Callable[[Pixels], Pixels] = lambda pixels: pixels,
) -> LookedAt:
    """What a network sees of records, read once and kept."""
    groups = np.unique([record.group for record in records], return_inverse=True)[1]
    if not path.is_file():
        seen = look_at_pictures(
            *open_engine(release_dir),
            lambda number: change(read_cell(records[number])),
            labels_of(records, names),
            groups.astype(np.int64),
        )
        closer = np.empty(0) if seen.closer is None else seen.closer
        np.savez(path, first=seen.first, closer=closer, faults=seen.faults)
    with np.load(path) as kept:
        return LookedAt(
            kept["first"],
            kept["closer"] if len(kept["closer"]) else None,
            kept["faults"],
            labels_of(records, names),
            groups.astype(np.int64),
        )


def _networks(
    release_dir: Path, weights: Path | None, cache: Path, pbc_only: Path | None
) -> list[tuple[str, str, Path]]:
    """Names, marks of what is kept, and folders of the networks that BCCD is shown to."""
    spec = read_spec(release_dir)
    bare = cache / "imagenet"
    found = [("the release's", "own", release_dir), ("ImageNet's", "bare", bare)]
    if not (bare / WEIGHTS_NAME).is_file():
        keras.utils.set_random_seed(SEED)
        start = imagenet_weights(spec.architecture, weights)
        model = _build(spec, backbone_weights=start)
        _write_bare(bare, model, replace(spec, name="imagenet"))
    if pbc_only is not None:
        found.append(("PBC's", "pbc", make_pbc_only(cache / "pbc-only", spec, pbc_only)))
    return found


def make_pbc_only(folder: Path, like: ReleaseSpec, weights: Path) -> Path:
    """The network of release pbc8 1.0.0, which learned from PBC alone, in the form that serves."""
    if not (folder / WEIGHTS_NAME).is_file():
        spec = replace(like, input_size=PBC_ONLY_SIDE)
        model = _build(spec)
        model.load_weights(weights)
        _write_bare(folder, model, spec)
    return folder


def _build(spec: ReleaseSpec, *, backbone_weights: str | None = None) -> keras.Model:
    return build(
        spec.architecture,
        input_size=spec.input_size,
        classes=len(spec.class_names),
        backbone_weights=backbone_weights,
    )


def _write_bare(folder: Path, model: keras.Model, like: ReleaseSpec) -> None:
    """A network in the form that serves, without reference cells; its head isn't meant."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_weights(folder / WEIGHTS_NAME)
    spec = replace(
        like,
        sha256=sha256_of(folder / WEIGHTS_NAME),
        closer=None,
        reference_sha256=None,
        morphology_sha256=None,
    )
    write_spec(folder, spec)
    export_release(folder)


def at_home(spec: ReleaseSpec, learned: LookedAt, calibrating: LookedAt) -> Known:
    """A head, temperature, limits and reference cells from the home laboratory alone."""
    shown = choose_examples(learned.labels, 1000)
    statistics = fit_novelty(
        learned.first,
        calibrating.first,
        examples=learned.first[shown],
        example_labels=learned.labels[shown],
        example_keys=shown.astype(str),
    )
    fitted = LogisticRegression(C=0.01, max_iter=500).fit(
        learned.first - statistics.mean, learned.labels
    )
    kernel = fitted.coef_.T.astype(np.float64)
    head = DenseLayer(kernel, fitted.intercept_ - statistics.mean @ kernel)
    logits = calibrating.logits(head, None)
    temperature = fit_temperature(logits, calibrating.labels)
    found = softmax(logits, temperature)
    quantiles = [fit_quantiles(found, calibrating.labels, alpha) for alpha in MISCOVERAGES]
    told = {"quantiles": [each.as_dict() for each in quantiles]}
    spec = replace(spec, temperature=temperature, conformal=told)
    return Known(spec, head, statistics, Plane.of(statistics))
