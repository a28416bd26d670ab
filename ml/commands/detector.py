"""`python -m ml detector`: train, release and examine what finds the cells of a field."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from ml.architectures import MOBILENET_V2, imagenet_weights
from ml.artifacts import DEFAULT_DETECTOR
from ml.commands.inputs import (
    add_data_options,
    add_run_option,
    add_settings,
    add_weights_option,
)
from ml.data.records import fingerprint
from ml.data.splits import FOLDS
from ml.detection.artifact import verify_detector
from ml.detection.dealing import deal_fields
from ml.detection.evaluation import (
    ALL,
    by_source,
    curves_of,
    examine_fields,
    figures_by_source,
)
from ml.detection.fields import SOURCES, AnnotatedField, densest
from ml.detection.figure import draw_curves
from ml.detection.inference import load_detector
from ml.detection.pictures import write_worst
from ml.detection.releasing import make_detector_release
from ml.detection.training import DetectorPlan, read_detector_plan, train_detector
from ml.detection.views import LoadedField, load_fields

SETTINGS: Final[tuple[tuple[str, type, str], ...]] = (
    ("view_size", int, "side of the views in pixels, a multiple of 32"),
    ("epochs", int, "passes over the training fields, those of the decoder alone included"),
    ("head_epochs", int, "passes with the backbone frozen"),
    ("patience", int, "passes without a better validation score before it stops"),
    ("batch_size", int, "views a step"),
    ("head_rate", float, "Adam's learning rate while the backbone is frozen"),
    ("peak_rate", float, "AdamW's highest learning rate, after warm-up"),
    ("weight_decay", float, "AdamW's weight decay"),
    ("seed", int, "decides folds, order and views"),
)
RUN: Final = "var/training/detector-mobilenetv2"
_PICTURES: Final = 20
"""So many of the worst fields are drawn with their boxes."""

_WORDS: Final[Mapping[str, str]] = {
    "bccd": "BCCD, its own boxes (Cosmicad and Shenggan, BCCD Dataset); MIT",
    "txl-bccd": "BCCD fields boxed anew by TXL-PBC (Gan et al.); MIT",
    "txl-pbc": (
        "crops of PBC (Acevedo et al., Data in Brief 2020;30:105474; CC BY 4.0) boxed by TXL-PBC; "
        "MIT"
    ),
    "txl-bcdd": "BCDD fields boxed by TXL-PBC; MIT",
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("detector", help="what finds the cells of a field")
    actions = command.add_subparsers(required=True)
    training = actions.add_parser("train", help="train the detector; resumes")
    training.set_defaults(run=_train)
    add_data_options(training)
    add_run_option(training, RUN)
    add_weights_option(training)
    add_settings(training, SETTINGS, DetectorPlan())
    releasing = actions.add_parser("release", help="examine a finished run and write a release")
    releasing.set_defaults(run=_release)
    add_data_options(releasing)
    add_run_option(releasing, RUN)
    releasing.add_argument("--name", default="detector-mobilenetv2")
    releasing.add_argument("--version", required=True)
    releasing.add_argument("--release", type=Path, default=DEFAULT_DETECTOR, metavar="FOLDER")
    evaluating = actions.add_parser("evaluate", help="examine a release as it serves")
    evaluating.set_defaults(run=_evaluate)
    add_data_options(evaluating)
    evaluating.add_argument("--release", type=Path, default=DEFAULT_DETECTOR, metavar="FOLDER")
    evaluating.add_argument("--fold", choices=FOLDS, default="test")
    evaluating.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="for report.json, report.png and pictures of the worst fields",
    )


def _train(options: argparse.Namespace) -> None:
    plan = DetectorPlan(**{name: getattr(options, name) for name, _, _ in SETTINGS})
    folds = deal_fields(options.data, seed=plan.seed)
    train_detector(
        plan,
        training=_load(folds["train"]),
        validation=_load(folds["validation"]),
        run_dir=options.run_dir,
        backbone_weights=imagenet_weights(MOBILENET_V2, options.weights),
    )


def _load(fields: Sequence[AnnotatedField]) -> list[LoadedField]:
    chosen = densest(fields)
    with tqdm(total=len(chosen), desc="decoding", mininterval=5) as bar:
        return load_fields(chosen, on_progress=bar.update)


def _release(options: argparse.Namespace) -> None:
    plan = read_detector_plan(options.run_dir)
    folds = deal_fields(options.data, seed=plan.seed)
    spec = make_detector_release(
        options.run_dir,
        options.release,
        name=options.name,
        version=options.version,
        validation=folds["validation"],
        test=folds["test"],
        data=_describe(folds, plan.seed),
        command=_command(plan),
    )
    _show(spec.metrics["test"])


def _evaluate(options: argparse.Namespace) -> None:
    spec = verify_detector(options.release)
    fields = deal_fields(options.data, seed=spec.training["seed"])[options.fold]
    with tqdm(total=len(fields), desc=options.fold, mininterval=5) as bar:
        examined = examine_fields(load_detector(options.release), fields, on_progress=bar.update)
    figures = figures_by_source(examined, spec.thresholds)
    _show(figures)
    if options.out:
        curves = {source: curves_of(each) for source, each in by_source(examined).items()}
        options.out.mkdir(parents=True, exist_ok=True)
        report = {
            "release": {"name": spec.name, "version": spec.version, "sha256": spec.sha256},
            "fold": options.fold,
            "fingerprint": fingerprint(each.record for each in fields),
            "sources": figures,
            "curves": curves,
        }
        text = json.dumps(report, indent=1, allow_nan=False)
        (options.out / "report.json").write_text(text + "\n", encoding="utf-8")
        draw_curves(curves, options.out / "report.png")
        once = by_source(examined)[ALL]
        write_worst(once, spec.thresholds, options.out / "worst", count=_PICTURES)


def _describe(folds: Mapping[str, Sequence[AnnotatedField]], seed: int) -> dict[str, Any]:
    """What was learned from and what it was examined on; each picture is learned from once."""
    return {
        "licence": "the released weights Apache-2.0, naming the sources below",
        "start": "MobileNetV2 1.0 224 learned on ImageNet (TF-Slim, Apache-2.0)",
        "split": f"by group; crops of PBC with their originals in the classifier's; seed {seed}",
        "sources": [_describe_source(source, folds) for source in SOURCES],
    }


def _describe_source(source: str, folds: Mapping[str, Sequence[AnnotatedField]]) -> dict[str, Any]:
    chosen = {
        fold: [each.record for each in fields if each.source == source]
        for fold, fields in {**folds, "train": densest(folds["train"])}.items()
    }
    return {
        "name": source,
        "words": _WORDS[source],
        "folds": {fold: len(records) for fold, records in chosen.items()},
        "fingerprints": {fold: fingerprint(records) for fold, records in chosen.items() if records},
    }


def _command(plan: DetectorPlan) -> str:
    usual = asdict(DetectorPlan())
    words = ["python -m ml detector train"]
    words += [
        f"--{name.replace('_', '-')} {value}"
        for name, value in asdict(plan).items()
        if value != usual[name]
    ]
    return " ".join([*words, "&& python -m ml detector release"])


def _show(figures: Mapping[str, Any]) -> None:
    for source, each in figures.items():
        recall = each["leukocyte_recall"]
        sys.stdout.write(
            f"{source}: {each['fields']} fields, mAP50 {each['map50']['value']}, white-cell recall "
            f"{recall['value']} at {recall['false_per_field']} false a field, scale off by "
            f"{each['scale_error']['median']}\n"
        )
        for kind, found in each["kinds"].items():
            error = found["count_error"]
            median = error["median"] and error["median"]["value"]
            sys.stdout.write(
                f"  {kind:12} boxes {found['boxes']:5}  AP50 {found['ap50']['value']}  "
                f"AP50:95 {found['ap50_95']}  recall {found['recall']}  "
                f"precision {found['precision']}  count off by {median}, all {error['total']}\n"
            )
