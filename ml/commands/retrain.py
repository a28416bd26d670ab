"""`python -m ml retrain`: fit a release's head anew on a laboratory's frozen training set."""

from __future__ import annotations

import argparse
from pathlib import Path

from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.steps import add_memory_option, begin, say_line
from ml.training_sets import next_version


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("retrain", help="fit a release's head anew on signed cells")
    command.set_defaults(run=_run)
    command.add_argument("--set", type=Path, required=True, metavar="FOLDER", dest="set_dir")
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--version", help="default: the next of the laboratory's own line")
    command.add_argument("--seed", type=int, default=20260101, help="deals patients into folds")
    add_memory_option(command)


def _run(options: argparse.Namespace) -> None:
    begin(options)
    from ml.retraining import retrain  # noqa: PLC0415 - TensorFlow

    version = options.version or next_version(read_spec(options.release).version)
    retrain(
        options.release,
        options.set_dir,
        options.out,
        version=version,
        seed=options.seed,
        say=say_line,
    )
