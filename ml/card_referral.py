"""The card's words on which cells are named, which are referred, and how that fared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ml.artifacts import ReleaseSpec
from ml.card_words import percent, share, words

_BY_THRESHOLD = (
    "Confidence is the softmax at temperature {temperature}, fitted on the validation fold. Below "
    "{threshold:.4f} a cell is reported as unidentified and referred to a human. That is the "
    "lowest threshold at which at most 0.5 % of the accepted cells of the validation fold were "
    "misnamed."
)
_BY_SETS = """Probabilities are the softmax at temperature {temperature}, fitted on the validation
fold. A class stays a candidate if it is at least as likely as it is for all but {alpha:.0%} of
that class's own validation cells (a split-conformal set a class, score {score}). A cell is named if
its likeliest class is its only candidate; else, with several or none, it is referred to a human.

{alpha:.0%} is the miscoverage that refers fewest validation cells of those in which at most 0.5 %
of the named cells are misnamed. Quantiles and choice come from the same cells, so the first two
columns flatter; the last two are means over halves of the fold by group, quantiles from one and
figures from the other. A class of fewer cells than 1 / miscoverage can't be ruled out at all.

{head}
{rows}

The columns of classes are the shares of their cells whose set is one class."""


def referral_section(spec: ReleaseSpec) -> str:
    """Which rule decides, and why that one."""
    if spec.referral is None:
        return _BY_THRESHOLD.format(temperature=spec.temperature, threshold=spec.threshold)
    trials = spec.metrics.get("referral", {}).get("trials", [])
    return _BY_SETS.format(
        temperature=spec.temperature,
        alpha=spec.referral.alpha,
        score=spec.referral.score.upper(),
        head=_head(spec.class_names),
        rows="\n".join(_trial(each) for each in trials),
    )


def _head(class_names: Sequence[str]) -> str:
    columns = ["miscoverage", "referred", "n", "95 % interval", "named wrongly", "n"]
    columns += ["95 % interval", *map(words, class_names), "halves: referred", "named wrongly"]
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"


def _trial(trial: Mapping[str, Any]) -> str:
    single = " | ".join("none" if each is None else f"{each:.1%}" for each in trial["single"])
    return (
        f"| {trial['alpha']} | {share(trial['referred'])} | {share(trial['error_of_accepted'])} "
        f"| {single} | {trial['cross_referred']:.2%} | {trial['cross_error_of_accepted']:.2%} |"
    )


def served_section(spec: ReleaseSpec) -> str:
    """What the release as it serves does with cells that fitted nothing; empty if not examined."""
    rows = spec.metrics.get("served", [])
    if not rows:
        return ""
    head = (
        "## As it serves\n\n"
        "Cells that are named by the rule above, odd pictures referred; before: what the release "
        "before did, by a threshold on confidence. Read once.\n\n"
        "| cells | named | n | 95 % interval | right | n | 95 % interval | before: named "
        "| right |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(_served(row) for row in rows) + "\n\n" + _coverage(rows[0]) + "\n\n"


def _served(row: Mapping[str, Any]) -> str:
    before = row.get("before")
    former = (
        f"{percent(before['accepted'])} | {percent(before['accuracy_of_accepted'])}"
        if before
        else "not measured | "
    )
    name = f"{row['name']} (trained on in part)" if row["note"] else row["name"]
    return (
        f"| {name} | {share(row['accepted'])} | {share(row['accuracy_of_accepted'])} | {former} |"
    )


def _coverage(row: Mapping[str, Any]) -> str:
    sets = row["sets"]
    lines = [
        f"| {words(name)} | {share(found['coverage'])} | {percent(found['single'])} "
        f"| {percent(found['empty'])} |"
        for name, found in {"all": sets, **sets["classes"]}.items()
    ]
    return (
        f"Sets of {row['name']}:\n\n"
        "| class | set holds the truth | n | 95 % interval | one candidate | none |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(lines)
    )
