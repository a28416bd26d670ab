"""The card's words on a release whose head was fitted anew in a laboratory."""

from __future__ import annotations

from ml.artifacts import ReleaseSpec
from ml.card_words import words

_EXAMINED = """## Figures on the untouched test fold

The test fold was split off by group before training and read once, when this release was made."""
_CROSS_READ = """## Figures on the laboratory's own cells

Each cell was read by a head that saw no cell of that patient ({folds} folds by patient). Where this
card speaks of a validation fold, it means these cells, so figures after calibration flatter."""
_LIMITS = """\
- The test fold comes from one hospital, one stainer and one kind of camera, and carries no patient
  identifiers, so a patient may lie in more than one fold: **the figures on the test fold
  are optimistic** for any other laboratory. Expect those of "Other laboratories", or
  worse; measure on your own cells before relying on it.
- Confidence is calibrated for the same source. On strange stains it is too high."""
_OWN_LIMITS = """\
- The cells come from one laboratory, and were named by people who saw what the version before
  called them, which favours it. Only a comparison on frozen sets says whether this version is
  better.
- Confidence is calibrated for that laboratory. On strange stains it is too high."""
_MADE = """\
Trained at {size} pixels. Seed {seed}; best epoch {best_epoch} by balanced accuracy on the
validation fold. """
_RETRAINED = """\
Made from {former} (release `{release}`): all layers but the last are its own. The last was
fitted anew on {cells} cells of {patients} patients ({classes}; set `{digest}`; {left_out} cells of
other classes left out) and on {replayed} cells that the release kept of those it learned from, each
class with the same weight, near the former layer (weight of the squared distance {anchor}). Seed
{seed}. A class's conformal threshold is the wider of two: the laboratory's own cells', and the one
that keeps as many of the kept cells in their sets as before. """


def figures_heading(spec: ReleaseSpec) -> str:
    """What the first figures rest on."""
    found = spec.training.get("retrained")
    return _CROSS_READ.format(folds=found["folds"]) if found else _EXAMINED


def limits(spec: ReleaseSpec) -> str:
    """How far the figures carry."""
    return _OWN_LIMITS if "retrained" in spec.training else _LIMITS


def made(spec: ReleaseSpec) -> str:
    """How the weights came about."""
    found = spec.training.get("retrained")
    if not found:
        told = spec.training
        return _MADE.format(
            size=told["input_size"], seed=told["seed"], best_epoch=told["best_epoch"]
        )
    counts = ", ".join(f"{words(name)} {count}" for name, count in found["classes"].items())
    return _RETRAINED.format(
        former=found["from"],
        release=found["release"],
        cells=sum(found["classes"].values()),
        patients=found["set"]["patients"],
        classes=counts,
        digest=found["set"]["digest"],
        left_out=found["left_out"],
        replayed=found["replayed"],
        anchor=found["anchor"],
        seed=spec.training["seed"],
    )
