"""The card's words on what a release was adapted from, to which cells, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml.artifacts import ReleaseSpec
from ml.card_words import share, words

ADAPTED_LIMITS = """- The figures are of one laboratory's own cells and hold there alone, as long as
  stain and camera stay. Confidence is calibrated on these cells; elsewhere it is too high.
- Patients may lie in more than one group: then the figures are too high."""

_HEAD = """## Adapted to {laboratory}

The head of {origin}, SHA-256 of its weights `{sha256}`, was fitted anew to {cells:,} reviewed cells
in {groups:,} groups; its network is unchanged. {learned_from}{note}{pull}

| class | cells | groups |
|---|---|---|
{classes}

{left_out}### Before and after

Cross-validation in {folds} folds by group: each cell is read by a head, at a temperature and by
limits to which neither it nor a cell of its group lent anything. Before is {origin} on the same
cells. Intervals 95 %: Clopper-Pearson, and for differences by drawing whole groups again.

| | before | n | 95 % interval | after | n | 95 % interval |
|---|---|---|---|---|---|---|
{shares}

Balanced accuracy {before[balanced_accuracy]:.2%} before, {after[balanced_accuracy]:.2%} after:
{balanced}. Accuracy: {accuracy}. Expected calibration error
{before[expected_calibration_error]:.4f} before, {after[expected_calibration_error]:.4f} after.

### What it learned before

Recall of the reference cells that the release keeps of its first training, those of {folds} folds
held out, as far as their kept coordinates tell. A class of which the laboratory has no cell may
lose {allowed[absent]:.0%} at most, another {allowed[present]:.0%}.

| class | before | after |
|---|---|---|
{kept}"""

_REFERRAL = """Probabilities are the softmax at temperature {temperature}: fitted on the
laboratory's cells held out from the head, or the earlier release's if that is higher. A class stays
a candidate if it is at least as likely as it is for all but {alpha:.0%} of that class's own held
out cells (a split-conformal set a class, score {score}){carried}. A cell is named if its likeliest
class is its only candidate; else, with several or none, it is referred to a human. {alpha:.0%} is
the earlier release's choice: so few cells can't tell which is best. Quantiles pool the folds'
heads, so the promise of split conformal sets holds but nearly (cross-conformal; Vovk, Ann Math
Artif Intell 2015;74:9)."""


def is_adapted(spec: ReleaseSpec) -> bool:
    """Whether a release was adapted to a laboratory."""
    return "adaptation" in spec.metrics


def adaptation_section(spec: ReleaseSpec) -> str:
    """From what, on which cells, and how it did before and after."""
    found: Mapping[str, Any] = spec.metrics["adaptation"]
    origin = found["from"]
    return _HEAD.format(
        laboratory=found["laboratory"],
        origin=f"{origin['name']} {origin['version']}",
        sha256=origin["sha256"],
        cells=found["cells"],
        groups=found["groups"],
        learned_from=_learned_from(found.get("set")),
        note=f"{found['note']} " if found["note"] else "",
        pull=_pull(found["pull"], found["replay"]),
        classes="\n".join(
            f"| {words(name)} | {each['cells']} | {each['groups']} |"
            for name, each in found["classes"].items()
        ),
        left_out=_left_out(found["left_out"]),
        folds=found["folds"],
        shares=_shares(found),
        before=found["before"],
        after=found["after"],
        balanced=_difference(found["differences"]["balanced_accuracy"]),
        accuracy=_difference(found["differences"]["accuracy"]),
        allowed=found["reference_cells"]["allowed"],
        kept="\n".join(
            f"| {words(name)} | {each['before']:.1%} | {each['after']:.1%} |"
            for name, each in found["reference_cells"]["recall"].items()
        ),
    )


def adapted_referral(spec: ReleaseSpec) -> str:
    """Which rule decides after an adaptation, and on which cells it rests."""
    if spec.referral is None:
        return (
            f"Confidence is the softmax at temperature {spec.temperature}. Below "
            f"{spec.threshold:.4f} a cell is reported as unidentified and referred to a human. "
            "Both were fitted on the laboratory's cells held out from the head."
        )
    carried = [words(name) for name in spec.metrics["adaptation"]["carried"]]
    told = (
        f"; for {', '.join(carried)}, of which the laboratory has too few cells, as likely as "
        "keeps the former share of its reference cells"
        if carried
        else ""
    )
    return _REFERRAL.format(
        temperature=spec.temperature,
        alpha=spec.referral.alpha,
        score=spec.referral.score.upper(),
        carried=told,
    )


def _pull(pull: float | None, replay: float | None) -> str:
    if pull is None or replay is None:
        return (
            "No head fitted to these cells read others of them better without forgetting: the head "
            "stays as it was, and only temperature and limits were fitted."
        )
    return (
        f"The pull towards the old head, chosen by cross-validation, is {pull:g}; the cells that "
        f"the release kept count {replay:g} times as much as these."
    )


def _learned_from(found: Mapping[str, Any] | None) -> str:
    if not found:
        return ""
    return f"They are {found['name']}, whose cells' hash is `{found['digest']}`. "


def _left_out(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    told = ", ".join(f"{count} {words(name)}" for name, count in counts.items())
    return f"Left out, as a class needs more to be learned or isn't one of the release: {told}.\n\n"


def _shares(found: Mapping[str, Any]) -> str:
    rows = [
        ("Accuracy, all cells named", "accuracy"),
        ("Accepted (not referred)", "accepted"),
        ("Accuracy of the accepted", "accuracy_of_accepted"),
    ]
    before, after = found["before"], found["after"]
    lines = [f"| {title} | {share(before[key])} | {share(after[key])} |" for title, key in rows]
    lines += [
        f"| Recall, {words(name)} | {share(before['classes'][name]['recall'])} "
        f"| {share(after['classes'][name]['recall'])} |"
        for name in found["classes"]
    ]
    return "\n".join(lines)


def _difference(found: Mapping[str, Any]) -> str:
    told = f"{100 * found['value']:+.1f} points"
    if found["interval_95"] is None:
        return told
    low, high = found["interval_95"]
    return f"{told} ({100 * low:+.1f} to {100 * high:+.1f})"
