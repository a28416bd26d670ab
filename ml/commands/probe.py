"""`python -m ml probe`: unpack an archive of a release and try it, in a process of its own.

`python -m ml.commands.probe` does the same without loading what the other commands need.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path

from ml.errors import MLError
from ml.probing import probe
from ml.unpacking import unpack

_MEMORY = 4 * 1024**3
_SECONDS = 120


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("probe", help="unpack an archive of a release and try it")
    command.set_defaults(run=_probe)
    _add_options(command)


def main() -> int:
    """Probe alone; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ml.commands.probe", description=__doc__)
    _add_options(parser)
    try:
        _probe(parser.parse_args())
    except MLError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("archive", type=Path, help="a zip or tar of a release's folder")
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--most-bytes", type=int, default=256 * 1024**2, help="unpacked")


def _probe(options: argparse.Namespace) -> None:
    """Bound memory, time and the size of files, then unpack and try; the finding goes to stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (options.most_bytes, options.most_bytes))
    found = probe(unpack(options.archive, options.out, most_bytes=options.most_bytes))
    sys.stdout.write(json.dumps(found.as_dict()) + "\n")


if __name__ == "__main__":
    sys.exit(main())
