"""Read every file that was named, cells in batches and fields by folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from classifier.command_line import fields
from classifier.command_line.cells import Line, classify_batch
from classifier.command_line.files import ImageFile, Item, KindOption, group, read_ahead
from classifier.command_line.folders import Folders


def read_all(
    files: Sequence[ImageFile], kind: KindOption, on_progress: Callable[[int], object]
) -> Iterator[tuple[ImageFile, Line]]:
    """Yield a line for each file: of cells as they are read, of fields once a folder is done.

    `on_progress` is told how many more files were read. Raises ArtifactError if a release is
    missing or is not what its spec says.
    """
    folders = Folders(files)
    for batch in group(read_ahead(files, kind)):
        yield from _read_batch(batch, folders)
        on_progress(len(batch))
        for item in batch:
            yield from folders.count_off(item.file)


def _read_batch(batch: Sequence[Item], folders: Folders) -> Iterator[tuple[ImageFile, Line]]:
    """The lines of cells; fields are put aside."""
    if batch[0].kind == "field":
        for item in batch:
            folders.add(fields.read(item))
            item.pixels = None  # seen; the next may be large
    else:
        for item, line in zip(batch, classify_batch(batch), strict=True):
            yield item.file, line
