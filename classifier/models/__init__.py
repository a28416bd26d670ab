"""Tables of the clinical record."""

from classifier.models.analyser import AnalyserResult, TakenResult
from classifier.models.case import AccessionCounter, Case
from classifier.models.critical import CriticalAlert, CriticalCall, CriticalSnapshot
from classifier.models.explanation import Explanation, TraitReading
from classifier.models.holds import ModelHold
from classifier.models.identity import (
    CaseOrigin,
    MergedCase,
    PatientCorrection,
    PatientMerge,
)
from classifier.models.imaging import Cell, SmearImage
from classifier.models.inference import (
    ClassificationRun,
    FieldScan,
    ModelVersion,
    Prediction,
)
from classifier.models.laboratory import DeltaLimit, Laboratory, ReferenceInterval
from classifier.models.legal_holds import LegalHold
from classifier.models.limits import CriticalLimit
from classifier.models.morphology import MorphologyFeature, MorphologyFinding
from classifier.models.patient import Patient
from classifier.models.presence import Presence
from classifier.models.reference_cells import ReferenceCell
from classifier.models.reference_counts import (
    ReferenceMark,
    ReferenceReading,
    ReferenceStudy,
    StudyCell,
)
from classifier.models.restrictions import (
    CaseTakeUp,
    EmergencyAccess,
    EmergencyJudgement,
    NamedPerson,
    Restriction,
)
from classifier.models.review import Correction, Review
from classifier.models.slides import Slide, SlideFile
from classifier.models.specimen import Specimen

__all__ = [
    "AccessionCounter",
    "AnalyserResult",
    "Case",
    "CaseOrigin",
    "CaseTakeUp",
    "Cell",
    "ClassificationRun",
    "Correction",
    "CriticalAlert",
    "CriticalCall",
    "CriticalLimit",
    "CriticalSnapshot",
    "DeltaLimit",
    "EmergencyAccess",
    "EmergencyJudgement",
    "Explanation",
    "FieldScan",
    "Laboratory",
    "LegalHold",
    "MergedCase",
    "ModelHold",
    "ModelVersion",
    "MorphologyFeature",
    "MorphologyFinding",
    "NamedPerson",
    "Patient",
    "PatientCorrection",
    "PatientMerge",
    "Prediction",
    "Presence",
    "ReferenceCell",
    "ReferenceInterval",
    "ReferenceMark",
    "ReferenceReading",
    "ReferenceStudy",
    "Restriction",
    "Review",
    "Slide",
    "SlideFile",
    "SmearImage",
    "Specimen",
    "StudyCell",
    "TakenResult",
    "TraitReading",
]
