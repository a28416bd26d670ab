"""Tables of the registry of models."""

from learning.models.comparisons import AcceptanceRule, Comparison, RefusalOverride
from learning.models.evaluations import EvaluatedCell, Evaluation
from learning.models.golden import LabelledCell, LabelledSet, Nomination
from learning.models.registry import CandidateUpload, ModelRelease, Promotion
from learning.models.shadow import ShadowPrediction, ShadowReading, ShadowTrial

__all__ = [
    "AcceptanceRule",
    "CandidateUpload",
    "Comparison",
    "EvaluatedCell",
    "Evaluation",
    "LabelledCell",
    "LabelledSet",
    "ModelRelease",
    "Nomination",
    "Promotion",
    "RefusalOverride",
    "ShadowPrediction",
    "ShadowReading",
    "ShadowTrial",
]
