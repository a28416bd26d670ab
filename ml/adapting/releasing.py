"""Make a complete release of a head that was adapted to a laboratory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ml.adapting.enough import Chosen
from ml.adapting.examining import Comparison, cross_examine
from ml.adapting.learning import FOLDS, FORGETTING, YIELDING, Adapted, Known, adapt_head, read_known
from ml.adapting.wanted import Wanted
from ml.artifacts import ReleaseSpec
from ml.data.records import fingerprint
from ml.engine import open_engine
from ml.errors import ArtifactError
from ml.fingerprints import code_fingerprint, digest_of, manifest_of
from ml.looking import LookedAt, look_at
from ml.metrics import confusion_matrix
from ml.retraining import write_release
from ml.steps import Say, counting


def adapt_release(
    release_dir: Path,
    chosen: Chosen,
    out_dir: Path,
    wanted: Wanted,
    *,
    say: Say = lambda *_: None,
) -> ReleaseSpec:
    """Adapt a release to cells and write what comes of it, with card and serving form.

    Raises ArtifactError if the release isn't what its spec says, keeps no reference cells, or the
    folder isn't empty.
    """
    if out_dir.exists() and any(out_dir.iterdir()):
        raise ArtifactError(f"{out_dir} is not empty.")
    known = read_known(release_dir)
    looked = counting(say, "Looking at the cells", len(chosen.records))
    cells = look_at(*open_engine(release_dir), chosen.records, on_progress=looked)
    compared = cross_examine(known, cells, say=say)
    say("Fitting", 0, 1)
    adapted = adapt_head(known, cells)
    say("Writing the release", 0, 1)
    origin = _describe(known.spec, release_dir)
    figures = {"from": origin, **_figures(known, adapted, cells, compared)}
    spec = _spec_of(known, adapted, chosen, wanted, figures)
    confusion = _confusion(known, cells, compared)
    return write_release(
        replace(spec, confusion_of_accepted=confusion),
        adapted.head,
        replace(known.statistics, limit=adapted.limits.novelty),
        release_dir,
        out_dir,
    )


def _describe(spec: ReleaseSpec, release_dir: Path) -> dict[str, str]:
    """The release that another comes from: by name, weights, and all that it holds."""
    return {
        "name": spec.name,
        "version": spec.version,
        "sha256": spec.sha256,
        "release": digest_of(manifest_of(release_dir)),
    }


def _figures(
    known: Known, adapted: Adapted, cells: LookedAt, compared: Comparison
) -> dict[str, Any]:
    names, limits, statistics = known.spec.class_names, adapted.limits, known.statistics
    is_own = limits.is_own(cells, len(names))
    widened = (limits.novelty - statistics.typical) / (statistics.limit - statistics.typical)
    recalls = zip(names, adapted.former_recalls, adapted.recalls, strict=True)
    return {
        "folds": FOLDS,
        "pull": adapted.pull,
        "replay": adapted.replay,
        "carried": [name for name, own in zip(names, is_own, strict=True) if not own],
        "novelty_limit": round(widened, 3),
        **compared.as_dict(cells, names),
        "reference_cells": {
            "allowed": {"absent": FORGETTING, "present": YIELDING},
            "recall": {
                name: {"before": round(float(before), 4), "after": round(float(after), 4)}
                for name, before, after in recalls
            },
        },
    }


def _spec_of(
    known: Known, adapted: Adapted, chosen: Chosen, wanted: Wanted, figures: dict[str, Any]
) -> ReleaseSpec:
    """The spec, still with the hashes of the release that it comes from."""
    old, limits = known.spec, adapted.limits
    told = {
        "laboratory": wanted.laboratory,
        "note": wanted.note,
        "cells": len(chosen.records),
        "groups": len({record.group for record in chosen.records}),
        "classes": chosen.counts(),
        "left_out": chosen.left_out,
        "set": dict(wanted.learned_from),
        **figures,
    }
    kept = {name: old.metrics[name] for name in ("morphology",) if name in old.metrics}
    return replace(
        old,
        version=wanted.version,
        temperature=limits.temperature,
        threshold=limits.threshold,
        conformal={"quantiles": [each.as_dict() for each in limits.quantiles]}
        if limits.quantiles
        else None,
        metrics={**kept, "adaptation": told},
        data=_data(old, chosen, wanted),
        training={
            **old.training,
            "command": f"{old.training.get('command', '')} && python -m ml adapt".strip(" &"),
        },
        code=code_fingerprint(),
    )


def _data(old: ReleaseSpec, chosen: Chosen, wanted: Wanted) -> dict[str, Any]:
    """The earlier release's sources, which its network learned from, and the laboratory's cells."""
    own = {
        "name": wanted.laboratory,
        "words": f"{wanted.laboratory}: cells that the head was adapted to; {wanted.licence}",
        "share_of_views": 0.0,
        "folds": {"adaptation": len(chosen.records)},
        "fingerprints": {"adaptation": fingerprint(chosen.records)},
    }
    return {**old.data, "sources": [*old.data.get("sources", []), own]}


def _confusion(
    known: Known, cells: LookedAt, compared: Comparison
) -> tuple[tuple[int, ...], ...] | None:
    """Cells that are named, left out of what read them; of absent classes, the former counts."""
    former = known.spec.confusion_of_accepted
    if former is None:
        return None
    named = compared.after.is_named
    guesses = compared.after.probabilities.argmax(axis=1)
    counts = confusion_matrix(cells.labels[named], guesses[named], len(known.spec.class_names))
    rows = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, np.array(former))
    return tuple(tuple(map(int, row)) for row in rows)
