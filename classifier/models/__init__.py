"""Tables of the clinical record."""

from classifier.models.case import AccessionCounter, Case
from classifier.models.imaging import Cell, SmearImage
from classifier.models.inference import ClassificationRun, ModelVersion, Prediction
from classifier.models.laboratory import Laboratory, ReferenceInterval
from classifier.models.patient import Patient
from classifier.models.review import Correction, Review
from classifier.models.specimen import Specimen

__all__ = [
    "AccessionCounter",
    "Case",
    "Cell",
    "ClassificationRun",
    "Correction",
    "Laboratory",
    "ModelVersion",
    "Patient",
    "Prediction",
    "ReferenceInterval",
    "Review",
    "SmearImage",
    "Specimen",
]
