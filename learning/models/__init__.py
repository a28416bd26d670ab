"""Tables of the registry of models."""

from learning.models.comparisons import AcceptanceRule, Comparison, RefusalOverride
from learning.models.evaluations import EvaluatedCell, Evaluation
from learning.models.golden import LabelledCell, LabelledSet, Nomination
from learning.models.registry import CandidateUpload, ModelRelease, Promotion, SetUpload
from learning.models.shadow import ShadowPrediction, ShadowReading, ShadowTrial
from learning.models.training import (
    BasisOfUse,
    PatientObjection,
    Retraining,
    TrainingCell,
    TrainingSet,
)

__all__ = [
    "AcceptanceRule",
    "BasisOfUse",
    "CandidateUpload",
    "Comparison",
    "EvaluatedCell",
    "Evaluation",
    "LabelledCell",
    "LabelledSet",
    "ModelRelease",
    "Nomination",
    "PatientObjection",
    "Promotion",
    "RefusalOverride",
    "Retraining",
    "SetUpload",
    "ShadowPrediction",
    "ShadowReading",
    "ShadowTrial",
    "TrainingCell",
    "TrainingSet",
]
