"""What the model reads of a control: as a worker reads a case, and written nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier import inference
from classifier.enums import DetectedKind, ImageKind
from ml.appearance import appearance_of, as_row
from ml.cutting import cut_cells
from ml.errors import ArtifactError, ImageRejected
from ml.preprocessing import decode_image
from quality.analytes import measured
from quality.models import ControlPicture, ControlRun
from quality.services.appearance import CELLS_A_CASE
from vault.exceptions import Damaged

View = NDArray[np.uint8]

DAMAGED = "A stored picture of the control can't be read. Upload the pictures again."
REFUSED = "The classifier or the detector can't be loaded; tell your administrator."
NO_CELLS = "No white cell was found on these pictures. Take others, of the same fields."


class Unreadable(Exception):
    """A control that can't be read, in a sentence for whoever uploaded it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How many cells were read, and each analyte's value (`quality.analytes.measured`)."""

    cells: int
    values: Mapping[str, float]


def read_control(run: ControlRun) -> Measured:
    """Find and name the cells of a control's pictures with the run's version.

    Raises:
        Unreadable: a picture, the release or the detector can't be read, or there is no cell.
    """
    try:
        classifier = inference.get_classifier_of(run.model_version)
        views = [view for picture in run.pictures.all() for view in _views(picture)]
    except ArtifactError as error:
        raise Unreadable(REFUSED) from error
    except (OSError, ImageRejected, Damaged) as error:
        raise Unreadable(DAMAGED) from error
    if not views:
        raise Unreadable(NO_CELLS)
    named = [answer.cell_type for answer in classifier.classify(views)]
    step = max(1, -(-len(views) // CELLS_A_CASE))
    looks = [as_row(appearance_of(view)) for view in views[::step]]
    return Measured(len(views), measured(named, run.model_version.class_names, looks))


def _views(picture: ControlPicture) -> list[View]:
    """The white cells as the classifier is to see them, uint8[h, w, 3]; none that an edge cuts."""
    with picture.file.open("rb") as stored:
        pixels = decode_image(stored.read()).pixels
    if picture.kind != ImageKind.FIELD:
        return [pixels]
    found = inference.get_detector().detect(pixels).detections
    boxes = [
        each.box
        for each in found
        if DetectedKind(each.kind) == DetectedKind.LEUKOCYTE and not each.at_edge
    ]
    return cut_cells(pixels, boxes)
