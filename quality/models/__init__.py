"""Tables of the quality boards."""

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
    "ControlMaterial",
    "ControlPicture",
    "ControlPoint",
    "ControlRules",
    "ControlRun",
    "ControlStop",
    "ControlTarget",
    "ControlTargetValue",
    "DriftAlert",
    "MissedControl",
]
