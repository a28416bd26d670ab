"""Tables of the quality boards."""

from quality.models.checks import CheckAnswer, CheckCell, CheckRules, KnownCell, ReaderCheck
from quality.models.controls import (
    ControlMaterial,
    ControlPicture,
    ControlPoint,
    ControlRules,
    ControlRun,
    ControlStop,
    ControlTarget,
    ControlTargetValue,
    MissedControl,
)
from quality.models.drift import Baseline, CaseAppearance, CellAppearance, DriftAlert

__all__ = [
    "Baseline",
    "CaseAppearance",
    "CellAppearance",
    "CheckAnswer",
    "CheckCell",
    "CheckRules",
    "ControlMaterial",
    "ControlPicture",
    "ControlPoint",
    "ControlRules",
    "ControlRun",
    "ControlStop",
    "ControlTarget",
    "ControlTargetValue",
    "DriftAlert",
    "KnownCell",
    "MissedControl",
    "ReaderCheck",
]
