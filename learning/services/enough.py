"""Whether a frozen set has enough cells for a way of training, before any worker is asked."""

from pathlib import Path

from classifier.exceptions import GuardFailed
from classifier.models import ModelVersion
from learning.enums import Method
from learning.models import TrainingSet
from learning.services.training_sets import manifest_cells
from ml.adapting.enough import choose_cells
from ml.data.records import Record
from ml.enough import known_cells
from ml.errors import DatasetError

_CHOICES = {Method.ADAPT: choose_cells, Method.RETRAIN: known_cells}


def check_enough(method: Method, training_set: TrainingSet, base: ModelVersion) -> None:
    """Hold the set against what the training itself will ask for.

    Raises:
        GuardFailed: there are too few cells; it says how many there are and what it takes.
    """
    records = [
        Record(path=Path(), label=cell.label, group=cell.group, key=cell.key)
        for cell in manifest_cells(training_set)
    ]
    try:
        _CHOICES[method](records, base.class_names)
    except DatasetError as refusal:
        raise GuardFailed(str(refusal)) from refusal


def refusal_of(method: Method, training_set: TrainingSet, base: ModelVersion) -> str:
    """Why the set can't be used in this way; "" if it can."""
    try:
        check_enough(method, training_set, base)
    except GuardFailed as refusal:
        return str(refusal)
    return ""
