"""The card's words on the heads that describe a cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml.artifacts import ReleaseSpec
from ml.card_words import percent, share
from ml.morphology import TITLES

_HEAD = """## Morphology

Eleven attributes of a cell in words, each by a multinomial logistic regression on the pooled
features of the first look, calibrated by temperature. Learned from the descriptions of WBCAtt
(Tsutsui, Pang and Wen, NeurIPS Datasets 2023; MIT) of PBC's cells in the training fold;
penalty, temperature and limit from the validation fold. Below its limit an attribute is
*uncertain*.

**Limits.** Only normal neutrophils, lymphocytes, monocytes, eosinophils and basophils of one
laboratory were described, by few people; of other classes nothing is said, and abnormal forms
(toxic granulation, hypersegmentation, blasts) were never seen. A cell is seen at the scale of its
nucleus, so its size is guessed from other things. *By class* is what a textbook would say of the
cell's true class: where it's as good, the head tells little beyond the class.

Test fold, read once. Intervals 95 %: Clopper-Pearson, and bootstrap over groups for balanced
accuracy and calibration error (ECE, 15 bins).

"""
_COLUMNS = (
    *("attribute", "accuracy", "n", "95 % interval", "majority", "by class"),
    *("balanced", "95 % interval", "majority", "by class", "ECE", "95 % interval"),
    *("limit", "stated", "of these right"),
)


def morphology_section(spec: ReleaseSpec) -> str:
    """How well a cell is described; empty if the release can't."""
    if spec.morphology_sha256 is None:
        return ""
    rows = spec.metrics.get("morphology", [])
    if not rows:
        return _HEAD + "Not examined yet.\n\n"
    head = f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}\n"
    return _HEAD + head + "\n".join(_row(row) for row in rows) + "\n\n"


def _row(row: Mapping[str, Any]) -> str:
    low, high = row["balanced_accuracy_interval_95"]
    least, most = row["ece_interval_95"]
    cells = (
        TITLES[row["name"]],
        share(row["accuracy"]),
        f"{row['majority']['accuracy']:.1%}",
        f"{row['by_class']['accuracy']:.1%}",
        f"{row['balanced_accuracy']:.1%}",
        f"{low:.1%} to {high:.1%}",
        f"{row['majority']['balanced']:.1%}",
        f"{row['by_class']['balanced']:.1%}",
        f"{row['ece']:.3f}",
        f"{least:.3f} to {most:.3f}",
        f"{row['limit']:.2f}",
        percent(row["stated"]),
        percent(row["accuracy_of_stated"]),
    )
    return f"| {' | '.join(cells)} |"
