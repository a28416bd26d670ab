"""Retrain a release's head on a laboratory's signed cells, and make a whole release of it.

The backbone stays, so embeddings and described morphology stay true; what names a cell is fitted
anew, near what it was, on the laboratory's cells and on those that the release kept of its own.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.artifacts import SUMMARY_NAME, WEIGHTS_NAME, ReleaseSpec, sha256_of, verify
from ml.card import publish
from ml.data.records import Record, fingerprint
from ml.data.splits import folds_by_group
from ml.engine import open_engine
from ml.enough import FOLDS, known_cells
from ml.errors import ArtifactError
from ml.evaluation import examine
from ml.fingerprints import code_fingerprint, digest_of, manifest_of
from ml.head_fitting import ANCHOR, DenseLayer, class_weights, fit_layer
from ml.inference import read_statistics
from ml.looking import LookedAt, look_at
from ml.morphology import MORPHOLOGY_NAME
from ml.novelty import REFERENCE_NAME, NoveltyStatistics, save, score
from ml.recalibrating import Calibration, Replay, calibrate, replay_of, widen_limit
from ml.referral_fitting import ReadCells
from ml.steps import Say, counting
from ml.training_sets import TrainingSet, as_dict, counts_of, read_set

SEED: Final = 20260101


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """All that a new head is made of: the release, the laboratory's cells and those kept."""

    spec: ReleaseSpec
    former: DenseLayer
    statistics: NoveltyStatistics
    replay: Replay
    records: Sequence[Record]
    cells: LookedAt


def retrain(
    release_dir: Path,
    set_dir: Path,
    out_dir: Path,
    *,
    version: str,
    seed: int = SEED,
    say: Say = lambda *_: None,
) -> ReleaseSpec:
    """Write into `out_dir` the release that follows from `release_dir` and the set in `set_dir`.

    The same release, set and seed give the same head. Raises ArtifactError if the release isn't
    what its spec says or keeps no cells of its own, DatasetError if the set is damaged or too
    small to be split by patient.
    """
    if not re.fullmatch(r"[0-9A-Za-z.+-]{1,32}", version):
        raise ArtifactError(f"{version!r} is no version.")
    if out_dir.exists() and any(out_dir.iterdir()):
        raise ArtifactError(f"{out_dir} is not empty.")
    say("Checking the set", 0, 1)
    training_set = read_set(set_dir)
    material = gather(release_dir, training_set.records(set_dir), say=say)
    return make_release(
        material, training_set, release_dir, out_dir, version=version, seed=seed, say=say
    )


def make_release(
    material: Material,
    training_set: TrainingSet,
    release_dir: Path,
    out_dir: Path,
    *,
    version: str,
    seed: int = SEED,
    say: Say = lambda *_: None,
) -> ReleaseSpec:
    """Fit, calibrate on patients left out, and write all that a release holds."""
    say("Fitting", 0, 1)
    layer = fit(material, slice(None))
    logits = cross_read(material, seed=seed, say=say)
    statistics = widen_limit(material.statistics, material.cells.first)
    found = calibrate(
        material.spec,
        logits,
        _as_read(material.cells, statistics),
        material.replay,
        (material.former, layer),
    )
    say("Writing the release", 0, 1)
    spec = _spec_of(material, training_set, found, release_dir, version, seed)
    return write_release(spec, layer, statistics, release_dir, out_dir)


def gather(release_dir: Path, records: Sequence[Record], *, say: Say = lambda *_: None) -> Material:
    """Look at every cell of the classes that a release names, once, with its own backbone."""
    from ml.keras_release import read_layer  # noqa: PLC0415 - TensorFlow

    spec, engine = open_engine(release_dir)
    statistics = read_statistics(release_dir, spec)
    if statistics is None or spec.referral is None:
        raise ArtifactError(
            f"{spec.name} {spec.version} keeps no cells of its own, so a new head would forget "
            "what it learned."
        )
    known = known_cells(records, spec.class_names)
    return Material(
        spec=spec,
        former=read_layer(release_dir),
        statistics=statistics,
        replay=replay_of(statistics),
        records=known,
        cells=look_at(
            spec, engine, known, on_progress=counting(say, "Looking at the cells", len(known))
        ),
    )


def fit(
    material: Material, chosen: NDArray[np.bool_] | slice, *, anchor: float = ANCHOR
) -> DenseLayer:
    """A head from the chosen cells of the laboratory and all that the release kept.

    Every class of either counts as much as any other, however often the laboratory sees it.
    """
    is_chosen = np.zeros(len(material.cells), dtype=np.bool_)
    is_chosen[chosen] = True
    features, labels = material.cells.rows(is_chosen)
    looks = len(labels) // max(1, int(is_chosen.sum()))
    weights = np.tile(class_weights(material.cells.labels[is_chosen]), looks) / max(1, looks)
    return fit_layer(
        material.former,
        np.concatenate([features, material.replay.features]),
        np.concatenate([labels, material.replay.labels]),
        np.concatenate([weights, class_weights(material.replay.labels)]),
        anchor=anchor,
    )


def cross_read(
    material: Material, *, seed: int, say: Say = lambda *_: None, anchor: float = ANCHOR
) -> NDArray[np.float64]:
    """Logits float64[N, C] of the laboratory's cells, each by a head without its patient."""
    folds = folds_by_group(material.records, FOLDS, seed)
    home = {record.group: number for number, fold in enumerate(folds) for record in fold}
    numbers = np.array([home[record.group] for record in material.records])
    logits = np.zeros((len(numbers), len(material.spec.class_names)))
    for number in range(FOLDS):
        layer = fit(material, numbers != number, anchor=anchor)
        left_out = numbers == number
        logits[left_out] = material.cells.logits(layer, material.spec.closer)[left_out]
        say("Trying it on patients left out", number + 1, FOLDS)
    return logits


def _as_read(cells: LookedAt, statistics: NoveltyStatistics) -> ReadCells:
    """The cells as referral sees them; their probabilities are filled in by calibration."""
    oddness = np.maximum(score(statistics, cells.first), cells.faults)
    return ReadCells(
        probabilities=np.empty((len(cells.labels), 0)),
        is_odd=np.asarray(oddness > 1.0),
        labels=cells.labels,
        groups=cells.groups,
    )


def _spec_of(
    material: Material,
    training_set: TrainingSet,
    found: Calibration,
    release_dir: Path,
    version: str,
    seed: int,
) -> ReleaseSpec:
    """The spec, still without the hashes of what is written later."""
    base, labels = material.spec, [record.label for record in material.records]
    figures = examine(
        found.probabilities, material.cells.labels, base.class_names, is_accepted=found.is_named
    ).as_dict()
    metrics: dict[str, Any] = {
        "test": figures,
        "referral": {"trials": [trial.as_dict() for trial in found.trials]},
    }
    if "morphology" in base.metrics:
        metrics["morphology"] = base.metrics["morphology"]
    return replace(
        base,
        version=version,
        temperature=found.temperature,
        threshold=found.threshold,
        metrics=metrics,
        data=_data(base, training_set, material.records, seed),
        training={
            "command": f"python -m ml retrain --version {version} --seed {seed}",
            "seed": seed,
            "input_size": base.input_size,
            "retrained": {
                "from": f"{base.name} {base.version}",
                "release": digest_of(manifest_of(release_dir)),
                "set": as_dict(training_set),
                "classes": counts_of(labels),
                "left_out": len(training_set.cells) - len(labels),
                "replayed": len(material.replay.labels),
                "folds": FOLDS,
                "anchor": ANCHOR,
            },
        },
        conformal={"quantiles": [each.as_dict() for each in found.quantiles]},
        referral=found.referral,
        confusion_of_accepted=found.confusion,
        code=code_fingerprint(),
    )


def _data(
    base: ReleaseSpec, training_set: TrainingSet, records: Sequence[Record], seed: int
) -> dict[str, Any]:
    """What was learned from: the former sources, and the set with half of the weight."""
    former = [
        {**source, "share_of_views": round(source["share_of_views"] / 2, 4)}
        for source in base.data["sources"]
    ]
    own = {
        "name": training_set.name,
        "words": training_set.words,
        "share_of_views": 0.5,
        "folds": {"train": len(records)},
        "fingerprints": {"train": fingerprint(records)},
    }
    return {
        "licence": f"{training_set.licence}; {base.data['licence']}",
        "start": f"{base.name} {base.version}, all layers but the last",
        "split": f"{FOLDS} folds by patient, seed {seed}",
        "sources": [*former, own],
    }


def write_release(
    spec: ReleaseSpec,
    layer: DenseLayer,
    statistics: NoveltyStatistics,
    release_dir: Path,
    out_dir: Path,
) -> ReleaseSpec:
    """Write the network with its new head, what serves and explains it, statistics and card."""
    from ml.exporting import export_release  # noqa: PLC0415 - TensorFlow
    from ml.keras_release import load_model  # noqa: PLC0415

    _, model = load_model(release_dir)
    model.layers[-1].set_weights([layer.kernel, layer.bias])
    out_dir.mkdir(parents=True, exist_ok=True)
    model.save_weights(out_dir / WEIGHTS_NAME)
    for name in (SUMMARY_NAME, MORPHOLOGY_NAME):
        if (release_dir / name).is_file():
            shutil.copyfile(release_dir / name, out_dir / name)
    save(statistics, out_dir / REFERENCE_NAME)
    spec = replace(
        spec,
        sha256=sha256_of(out_dir / WEIGHTS_NAME),
        reference_sha256=sha256_of(out_dir / REFERENCE_NAME),
    )
    publish(out_dir, spec)
    export_release(out_dir)
    return verify(out_dir)
