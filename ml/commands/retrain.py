"""`python -m ml retrain`: fit a release's head anew on a laboratory's frozen training set."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from pathlib import Path

from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.training_sets import next_version

_NICE = 10


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("retrain", help="fit a release's head anew on signed cells")
    command.set_defaults(run=_run)
    command.add_argument("--set", type=Path, required=True, metavar="FOLDER", dest="set_dir")
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--version", help="default: the next of the laboratory's own line")
    command.add_argument("--most-memory", type=int, metavar="BYTES", help="of addresses")
    command.add_argument("--seed", type=int, default=20260101, help="deals patients into folds")


def _run(options: argparse.Namespace) -> None:
    """Each step is told on a line of its own, as JSON, for whoever started this.

    It runs at a low priority: whatever else the machine does goes first.
    """
    os.nice(_NICE)
    if options.most_memory:
        resource.setrlimit(resource.RLIMIT_AS, (options.most_memory, options.most_memory))
    from ml.retraining import retrain  # noqa: PLC0415 - TensorFlow

    version = options.version or next_version(read_spec(options.release).version)
    retrain(
        options.release,
        options.set_dir,
        options.out,
        version=version,
        seed=options.seed,
        say=_say,
    )


def _say(step: str, done: int, total: int) -> None:
    sys.stdout.write(json.dumps({"step": step, "done": done, "total": total}) + "\n")
    sys.stdout.flush()
