"""How the cells were read, by which software, and which of them are printed."""

from dataclasses import dataclass

from reports.content.request import Coded


@dataclass(frozen=True, slots=True)
class Software:
    """A classifier that read images of the case, known by the hash of its weights."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells were read: what the software did, and what a human confirmed or changed."""

    software: tuple[Software, ...]
    images: int
    cells: int
    leukocytes: int
    leukocyte_target: int
    read_by_software: int
    referred: int
    named_by_human: int
    changed_by_human: int
    unconfirmed: int = 0
    """Cells that only the software named; stated where an interval carries its confusion."""


@dataclass(frozen=True, slots=True)
class CellPicture:
    """A cell printed in the report, tied to its pixels and to the file it came from."""

    cell_id: str
    image_id: str
    image_sha256: str
    pixels_sha256: str
    x0: int
    y0: int
    x1: int
    y1: int
    cell_type: Coded
    is_named_by_human: bool
