"""Tell which white cells of overlapping fields are one cell, so that it is counted once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.fields.overlap import OverlappingPair, Transform
from ml.types import BoundingBox

_EDGE: Final = 0.005
"""Share of the field's longer side within which a box touches the edge: 3 pixels of 640."""
_CENTRES: Final = 0.35
"""Greatest distance of centres, in diameters of the smaller cell."""
_LEAST_IOU: Final = 0.3
"""Boxes of one cell by two annotators agree by 0.5 and more, those cut by an edge by less."""
_LEAST_SHOWN: Final = 0.1
"""Share of a box that the other field must show for the boxes to be compared."""


class CellKey(NamedTuple):
    """A white cell: which field, and which of that field's boxes, both by index."""

    field: int
    cell: int


Rectangle = NDArray[np.float64]
"""float64[4]: x0, y0, x1, y1; may reach beyond a field."""


def repeats(
    cells_by_field: Sequence[Sequence[BoundingBox]],
    overlaps: Iterable[OverlappingPair],
    cut: Collection[CellKey] | None = None,
) -> dict[CellKey, CellKey]:
    """Map each white cell that is not to be counted to the one that is counted for it.

    `cells_by_field[i]` are the boxes of field i in its own pixels; `overlaps` name fields by that
    index. Two boxes of overlapping fields show one cell if, both cut to what both fields show,
    their centres lie within 0.35 diameters of the smaller and their IoU is 0.3 or more; a box is
    paired with one box of the other field at most, best IoU first. Pairs join over any number of
    fields, but never two boxes of one field.

    Of the boxes so joined one is counted: the first, in the order of the fields, that is whole in
    its field: not among `cut`, which the detector knows, or else not `is_at_edge`. If none is, it
    is the one of the largest area in its own pixels.
    All others map to it, so no value is itself a key. Cells that are seen once are not in the map.
    """
    known = list(overlaps)
    sizes = _sizes(known)
    links = sorted(
        (link for pair in known for link in _links(cells_by_field, pair)),
        key=lambda link: (-link[0], link[1], link[2]),
    )
    found: dict[CellKey, CellKey] = {}
    for group in _joined((one, two) for _, one, two in links):
        counted = _counted(group, cells_by_field, sizes, cut)
        found.update({key: counted for key in group if key != counted})
    return dict(sorted(found.items()))


def is_at_edge(box: BoundingBox, size: tuple[int, int]) -> bool:
    """Whether the edge of a field of `size` (width, height) cuts the cell, or may cut it."""
    near = _EDGE * max(size)
    return min(box.x0, box.y0, size[0] - box.x1, size[1] - box.y1) < near


def _sizes(pairs: Iterable[OverlappingPair]) -> dict[int, tuple[int, int]]:
    sizes = {}
    for pair in pairs:
        sizes[pair.first], sizes[pair.second] = pair.overlap.sizes
    return sizes


def _links(
    cells: Sequence[Sequence[BoundingBox]], pair: OverlappingPair
) -> Iterator[tuple[float, CellKey, CellKey]]:
    """IoU and the two boxes, each box once."""
    transform = pair.overlap.transform
    width, height = pair.overlap.sizes[0]
    laid = _mapped(np.array([0, 0, width, height], dtype=np.float64), transform)
    shared = _cut(laid, np.array([0, 0, *pair.overlap.sizes[1]], dtype=np.float64))
    first = [_mapped(_rectangle(box), transform) for box in cells[pair.first]]
    second = [_rectangle(box) for box in cells[pair.second]]
    alike = [
        (_likeness(one, two, shared), i, j)
        for i, one in enumerate(first)
        for j, two in enumerate(second)
    ]
    taken: set[tuple[int, int]] = set()
    for iou, i, j in sorted(alike, key=lambda each: (-each[0], each[1], each[2])):
        if iou >= _LEAST_IOU and not taken & {(0, i), (1, j)}:
            taken |= {(0, i), (1, j)}
            yield iou, CellKey(pair.first, i), CellKey(pair.second, j)


def _rectangle(box: BoundingBox) -> Rectangle:
    return np.array(box.as_list(), dtype=np.float64)


def _mapped(box: Rectangle, transform: Transform) -> Rectangle:
    """The centre moves and the sides scale: a small turn does not make a box larger."""
    centre = transform[:, :2] @ (box[:2] + box[2:]) / 2 + transform[:, 2]
    half = (box[2:] - box[:2]) / 2 * float(np.hypot(transform[0, 0], transform[1, 0]))
    return np.concatenate([centre - half, centre + half])


def _cut(box: Rectangle, frame: Rectangle) -> Rectangle:
    return np.concatenate([np.maximum(box[:2], frame[:2]), np.minimum(box[2:], frame[2:])])


def _area(box: Rectangle) -> float:
    return float(np.prod(np.maximum(box[2:] - box[:2], 0)))


def _likeness(one: Rectangle, two: Rectangle, shared: Rectangle) -> float:
    """IoU of two boxes within what both fields show; 0 if their centres are too far apart."""
    cut_one, cut_two = _cut(one, shared), _cut(two, shared)
    areas = _area(cut_one), _area(cut_two)
    if areas[0] < _LEAST_SHOWN * _area(one) or areas[1] < _LEAST_SHOWN * _area(two):
        return 0.0
    apart = (cut_one[:2] + cut_one[2:] - cut_two[:2] - cut_two[2:]) / 2
    diameter = min(float(np.max(box[2:] - box[:2])) for box in (one, two))
    if float(np.hypot(*apart)) > _CENTRES * diameter:
        return 0.0
    both = _area(_cut(cut_one, cut_two))
    return both / (sum(areas) - both)


def _joined(links: Iterable[tuple[CellKey, CellKey]]) -> list[set[CellKey]]:
    """Sets of cells that links connect; a link that would join two of one field is left out."""
    set_of: dict[CellKey, set[CellKey]] = {}
    for one, two in links:
        left, right = set_of.get(one, {one}), set_of.get(two, {two})
        if {key.field for key in left}.isdisjoint({key.field for key in right}):
            joined = left | right
            set_of.update(dict.fromkeys(joined, joined))
    return list({id(group): group for group in set_of.values()}.values())


def _counted(
    group: set[CellKey],
    cells: Sequence[Sequence[BoundingBox]],
    sizes: dict[int, tuple[int, int]],
    cut: Collection[CellKey] | None,
) -> CellKey:
    def order(key: CellKey) -> tuple[bool, int, CellKey]:
        box = cells[key.field][key.cell]
        is_cut = is_at_edge(box, sizes[key.field]) if cut is None else key in cut
        return is_cut, -box.width * box.height if is_cut else 0, key

    return min(group, key=order)
