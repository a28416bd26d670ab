"""`python -m ml renew`: release the same weights again, with what serves them made anew."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.commands.inputs import add_data_options
from ml.referral_fitting import add_referral
from ml.sources import read_released_fold


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("renew", help="release the same weights in a newer form")
    command.set_defaults(run=_run)
    add_data_options(command)
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    command.add_argument("--version", required=True)


def _run(options: argparse.Namespace) -> None:
    from ml.renewing import renew_release  # noqa: PLC0415 - TensorFlow

    records = read_released_fold(read_spec(options.release), "validation", options.data)
    renewed = renew_release(options.release, options.version)
    with tqdm(total=len(records), desc="validation", mininterval=5) as bar:
        spec = add_referral(renewed, records, on_progress=bar.update)
    for trial in spec.metrics["referral"]["trials"]:
        sys.stdout.write(
            f"alpha {trial['alpha']:<6} referred {trial['referred']['value']:.4f} "
            f"misnamed {trial['error_of_accepted']['value'] or 0.0:.4f} "
            f"on halves {trial['cross_referred']:.4f} {trial['cross_error_of_accepted']:.4f}\n"
        )
    sys.stdout.write(f"{renewed}: {spec.referral}\n")
