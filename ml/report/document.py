"""The evaluation as one JSON document: what was examined, by what, when, and every figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ml.artifacts import ReleaseSpec
from ml.report.bootstrap import REPLICATES, SEED

SCHEMA: Final = "hematovision-evaluation/1"
"""The number changes when a key is renamed, removed or means something else."""

JSON_NAME: Final = "report.json"


def make_document(
    spec: ReleaseSpec,
    sources: Sequence[Mapping[str, Any]],
    *,
    command: str,
    calibration: Mapping[str, Any] | None,
    comparison: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Join the figures of all sources with what made them."""
    return {
        "schema": SCHEMA,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "release": describe(spec),
        "intervals": {
            "level": 0.95,
            "shares": "Clopper-Pearson",
            "other": "percentile bootstrap over groups",
            "replicates": REPLICATES,
            "seed": SEED,
        },
        "calibration": calibration,
        "sources": list(sources),
        "comparison": comparison,
        "history": list(spec.training.get("history", [])),
    }


def describe(spec: ReleaseSpec) -> dict[str, Any]:
    """What tells a release from another."""
    return {
        "name": spec.name,
        "version": spec.version,
        "sha256": spec.sha256,
        "architecture": spec.architecture,
        "input_size": spec.input_size,
        "preprocessing": spec.preprocessing,
        "closer_size": spec.closer.size if spec.closer else None,
        "temperature": spec.temperature,
        "threshold": spec.threshold,
        "referral": asdict(spec.referral) if spec.referral else None,
        "class_names": list(spec.class_names),
    }


def write_document(document: Mapping[str, Any], folder: Path) -> Path:
    """Write report.json, which holds no NaN."""
    path = folder / JSON_NAME
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path
