"""`python -m ml release`: calibrate a finished run, examine it once and write a release."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.commands.inputs import add_data_options, add_run_option, load_fold, load_mixed
from ml.datasets import FOLDS, Record, fingerprint
from ml.referral_fitting import add_referral
from ml.releasing import add_reference, add_strangers, make_release
from ml.sources import BCCD, PBC, of_classes, read_released_fold, read_source
from ml.training import TrainingPlan, read_plan

_SOURCES: Final[Mapping[str, str]] = {
    PBC: (
        "PBC: single cells, May Grünwald-Giemsa, CellaVision DM96, Hospital Clínic Barcelona "
        "(Acevedo et al., Data in Brief 2020;30:105474); CC BY 4.0"
    ),
    BCCD: "BCCD: white cells of 640 x 480 fields (Cosmicad and Shenggan, BCCD Dataset); MIT",
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("release", help="calibrate, examine once and write a release")
    command.set_defaults(run=_release)
    add_data_options(command)
    add_run_option(command)
    command.add_argument("--name", required=True)
    command.add_argument("--version", required=True)
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")


def _release(options: argparse.Namespace) -> None:
    plan = read_plan(options.run_dir)
    dealt = {
        name: read_source(name, options.data, seed=plan.seed) for name in (plan.source, *plan.mixed)
    }
    training, validation = (
        load_mixed(plan, fold, options.data, options.run_dir) for fold in ("train", "validation")
    )
    make_release(
        options.run_dir,
        options.release,
        name=options.name,
        version=options.version,
        validation=validation,
        test=load_fold(dealt[plan.source]["test"], options.run_dir, plan.class_names),
        data=_describe(plan, dealt),
        command=_command(plan),
    )
    add_reference(
        options.release,
        training=training,
        validation=validation,
        keys=[
            record.key
            for folds in dealt.values()
            for record in of_classes(folds["train"], plan.class_names)
        ],
    )
    records = read_released_fold(read_spec(options.release), "validation", options.data)
    add_referral(options.release, records, on_progress=lambda _: None)
    if BCCD not in dealt and (options.data / BCCD).is_dir():
        add_strangers(options.release, options.data)


def _describe(plan: TrainingPlan, dealt: Mapping[str, dict[str, list[Record]]]) -> dict[str, Any]:
    return {
        "licence": "the released weights Apache-2.0, naming the sources above",
        "start": "MobileNetV2 1.0 224 learned on ImageNet (TF-Slim, Apache-2.0)",
        "split": f"by group, in proportion per class, seed {plan.seed}",
        "sources": [
            _describe_source(
                plan, name, {fold: of_classes(folds[fold], plan.class_names) for fold in FOLDS}
            )
            for name, folds in dealt.items()
        ],
    }


def _describe_source(
    plan: TrainingPlan, name: str, folds: Mapping[str, list[Record]]
) -> dict[str, Any]:
    share = 1.0 - sum(plan.mixed.values()) if name == plan.source else plan.mixed[name]
    return {
        "name": name,
        "words": _SOURCES.get(name, name),
        "share_of_views": round(share, 4),
        "folds": {fold: len(records) for fold, records in folds.items()},
        "fingerprints": {fold: fingerprint(records) for fold, records in folds.items() if records},
    }


def _command(plan: TrainingPlan) -> str:
    usual = asdict(TrainingPlan())
    words = ["python -m ml train"]
    for name, value in asdict(plan).items():
        if value != usual[name]:
            words.append(_option(name, value))
    return " ".join([*words, "&& python -m ml release"])


def _option(name: str, value: Any) -> str:
    if name == "mixed":
        return " ".join(f"--mix {source}={share}" for source, share in value.items())
    if name == "class_names":
        return f"--classes {' '.join(value)}"
    return f"--{name.replace('_', '-')} {value}"
