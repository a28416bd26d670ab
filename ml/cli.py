"""The command line of the package: `python -m ml COMMAND`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from ml.commands import (
    adapt,
    card,
    crossvalidate,
    data,
    detector,
    evaluate,
    explain,
    export,
    morphology,
    probe,
    release,
    renew,
    retrain,
    train,
)
from ml.errors import MLError

_COMMANDS = (
    data,
    train,
    crossvalidate,
    evaluate,
    explain,
    release,
    renew,
    retrain,
    adapt,
    export,
    card,
    morphology,
    probe,
    detector,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse and run one sub-command; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except MLError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    return parser
