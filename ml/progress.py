"""Where a training run stands, kept beside its checkpoints so that it can go on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Progress:
    """Where a run stands after its last whole epoch."""

    epoch: int = 0
    best_score: float = -1.0
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def load_progress(run_dir: Path) -> Progress:
    """What `save_progress` kept; the beginning if there is nothing."""
    path = run_dir / "progress.json"
    if not path.is_file():
        return Progress()
    return Progress(**json.loads(path.read_text(encoding="utf-8")))


def save_progress(run_dir: Path, progress: Progress) -> None:
    """Keep it, whole or not at all."""
    part = run_dir / "progress.json.part"
    part.write_text(json.dumps(asdict(progress), indent=2), encoding="utf-8")
    part.replace(run_dir / "progress.json")
