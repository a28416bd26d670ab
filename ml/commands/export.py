"""`python -m ml export`: write the form in which a release is served."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ml.artifacts import DEFAULT_RELEASE
from ml.serving_form import SERVED_NAME


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("export", help="write the form in which a release is served")
    command.set_defaults(run=_export)
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")


def _export(options: argparse.Namespace) -> None:
    from ml.exporting import export_release  # noqa: PLC0415 - TensorFlow, for this command alone

    form = export_release(options.release)
    size = (options.release / SERVED_NAME).stat().st_size / 1e6
    sys.stdout.write(f"{options.release / SERVED_NAME}: {size:.1f} MB, SHA-256 {form.sha256}\n")
