"""`python -m ml.commands.labelled`: unpack a stranger's labelled pictures, in a process of its own.

What is found lies in a folder as a set's manifest and one PNG a cell (`ml.training_sets`).
"""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path

from ml.data.packed import cut_pictures, list_packed, unpack_pictures
from ml.errors import MLError
from ml.steps import say_line
from ml.training_sets import TrainingSet, digest_of_cells, write_set

_MEMORY = 4 * 1024**3
_SECONDS = 300


def main() -> int:
    """Look through one archive; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ml.commands.labelled", description=__doc__)
    parser.add_argument("archive", type=Path, help="a zip of class folders, or with a catalogue")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--most-bytes", type=int, required=True, help="unpacked")
    try:
        _look_through(parser.parse_args())
    except MLError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _look_through(options: argparse.Namespace) -> None:
    """Bound memory, time and the size of files, then unpack, check and cut."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (options.most_bytes, options.most_bytes))
    say_line("Unpacking", 0, 1)
    folder = unpack_pictures(
        options.archive, options.out / "unpacked", most_bytes=options.most_bytes
    )
    cells, again = cut_pictures(list_packed(folder), options.out, say_line)
    words = f"{again} pictures came again" if again else ""
    write_set(options.out, TrainingSet("", words, "", digest_of_cells(cells), tuple(cells)))


if __name__ == "__main__":
    sys.exit(main())
