"""`python -m ml crossvalidate`: examine a small set, each cell by a network that never saw it."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any, Final

from ml.architectures import imagenet_weights
from ml.commands.inputs import add_data_options, load_fold
from ml.commands.train import add_plan_options, plan_from
from ml.crossvalidation import cross_validate
from ml.errors import DatasetError
from ml.sources import of_classes, read_source

RESULT_NAME: Final = "cross_validation.json"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser(
        "crossvalidate", help="train once a fold of the mixed set, and examine what was left out"
    )
    command.set_defaults(run=_run)
    add_data_options(command)
    command.add_argument("--run-dir", type=Path, required=True)
    command.add_argument("--folds", type=int, default=5)
    add_plan_options(command)


def _run(options: argparse.Namespace) -> None:
    plan = plan_from(options)
    if len(plan.mixed) != 1:
        raise DatasetError("Name the set to examine, and its share, by one --mix.")
    ((name, share),) = plan.mixed.items()
    load = partial(load_fold, run_dir=options.run_dir, class_names=plan.class_names)
    source = read_source(plan.source, options.data, seed=plan.seed)
    dealt = read_source(name, options.data, seed=plan.seed)
    found = cross_validate(
        plan,
        first=load(source["train"]),
        validation=load(source["validation"]),
        records=of_classes([*dealt["train"], *dealt["validation"]], plan.class_names),
        share=share,
        folds=options.folds,
        run_dir=options.run_dir,
        load=load,
        backbone_weights=imagenet_weights(plan.architecture, options.weights),
    )
    path = options.run_dir / RESULT_NAME
    found = {"set": name, **found}
    path.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    _show(found)


def _show(found: dict[str, Any]) -> None:
    for margin, figures in found["margins"].items():
        accuracy = figures["accuracy"]
        low, high = accuracy["interval_95"]
        sys.stdout.write(
            f"margin {margin}: accuracy {accuracy['value']:.4f} ({low:.4f} to {high:.4f}, "
            f"n={accuracy['n']}), balanced {figures['balanced_accuracy']:.4f}\n"
        )
