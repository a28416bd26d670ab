"""What a release that is adapted to a laboratory is to say of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the new release is to be called, who gave the cells, and under which terms.

    `learned_from` names the frozen training set (`ml.training_sets.as_dict`); empty of a folder.
    """

    version: str
    laboratory: str
    licence: str
    note: str = ""
    learned_from: Mapping[str, Any] = field(default_factory=dict)
