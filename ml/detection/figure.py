"""Draw precision against recall of each kind, a line a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from ml.detection.objects import KINDS

_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (3, 3)), (0, (8, 2)))


def draw_curves(
    curves: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], path: Path
) -> None:
    """Write a PNG of curves by source, kind and end; see `ml.detection.evaluation.curves_of`."""
    figure = Figure(figsize=(4.2 * len(KINDS), 4.0), layout="constrained")
    for place, kind in zip(figure.subplots(1, len(KINDS), sharey=True), KINDS, strict=True):
        for number, (source, kinds) in enumerate(curves.items()):
            if kind in kinds:
                ends = (kinds[kind]["recall"], kinds[kind]["precision"])
                dash = _DASHES[number % len(_DASHES)]
                place.plot(*ends, color=f"C{number}", linestyle=dash, label=source)
        place.set(title=kind, xlabel="Recall", xlim=(0, 1.01), ylim=(0, 1.01))
        place.grid(visible=True, alpha=0.3)
    figure.axes[0].set_ylabel("Precision at an overlap of one half")
    figure.axes[0].legend(loc="lower left", frameon=False)
    figure.savefig(path, dpi=110)
