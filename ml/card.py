"""Write the model card of a release from its spec, so that the two cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml.artifacts import CARD_NAME, ReleaseSpec, write_spec
from ml.card_adaptation import (
    ADAPTED_LIMITS,
    adaptation_section,
    adapted_referral,
    is_adapted,
)
from ml.card_morphology import morphology_section
from ml.card_referral import referral_section, served_section
from ml.card_retraining import figures_heading, limits, made
from ml.card_words import percent, share, words
from ml.looks import CloserLook

_TEMPLATE = """# Model card: {name} {version}

{architecture} reads one stained blood cell, {size} x {size} pixels, and names it one of
{class_count} classes: {classes}. The weights' SHA-256 is `{sha256}`.

## Intended use

Pre-classification of single cells from Romanowsky-stained (May-Grünwald-Giemsa) peripheral blood
smears, for review by a pathologist who confirms or corrects every case before it is reported. It
proposes; it never decides. It is research software and not a medical device.

**Not for:** blasts, atypical lymphocytes, smudge cells, parasites or any class it was not taught
(it will name them as one it knows, or refer them); bone marrow; tissue; whole fields, which have
to be cut into cells first; deciding without a human.

## Referral

{referral}

A picture unlike any cell it learned from, a blurred one, and one whose nucleus the edge cuts are
referred as well, whatever the network says (`docs/novelty.md`).

{figures}

{served}{morphology}## Other laboratories

{strangers}{cross_validation}

## Data

{data}

## Limits

{limits}
- Each cell is seen at the scale of its own nucleus, so its true size is not seen; a cell whose
  nucleus is not found, or that lies beside a larger one, is read badly.
- No age, sex, ethnicity or disease information exists for the training cells, so differences in
  performance between groups of patients cannot be stated.

## How it was made

```
{command}
```

{made}{closer}Preprocessing `{preprocessing}`: the nucleus nearest the middle
is found, brought to the centre and to half of the view's width, and white balance and stain density
are brought to a standard; values are mapped to -1..1. See `docs/models.md`.
"""

_TEST = """{figures_heading}
Intervals are Clopper-Pearson, 95 %. What the first table calls accepted is by a threshold of
{threshold:.4f} on confidence, odd pictures left aside.

| | value | n | 95 % interval |
|---|---|---|---|
{headline}

Balanced accuracy {balanced:.2%}, macro F1 {macro_f1:.4f}, expected calibration error (15 bins)
{ece:.4f}, Brier score {brier:.4f}.

| class | recall | n | 95 % interval | precision | n | 95 % interval | F1 |
|---|---|---|---|---|---|---|---|
{class_rows}

### Confusion matrix (rows: truth; columns: model, before referral)

| | {confusion_head} |
|---|{confusion_rule}|
{confusion_rows}"""


def publish(release_dir: Path, spec: ReleaseSpec) -> None:
    """Write the spec, and the model card that is made from it."""
    write_spec(release_dir, spec)
    (release_dir / CARD_NAME).write_text(render_card(spec), encoding="utf-8")


def render_card(spec: ReleaseSpec) -> str:
    """Fill in the card, in Markdown."""
    names = spec.class_names
    return _TEMPLATE.format(
        name=spec.name,
        version=spec.version,
        architecture=spec.architecture,
        size=spec.input_size,
        class_count=len(names),
        classes=", ".join(words(name) for name in names),
        sha256=spec.sha256,
        referral=adapted_referral(spec) if is_adapted(spec) else referral_section(spec),
        served=served_section(spec),
        morphology=morphology_section(spec),
        figures=adaptation_section(spec) if is_adapted(spec) else _test_section(spec),
        strangers=_strangers(spec.metrics.get("strangers", [])),
        cross_validation=_cross_validation(spec.metrics.get("cross_validation", {})),
        data=_data(spec.data),
        command=spec.training["command"],
        limits=ADAPTED_LIMITS if is_adapted(spec) else limits(spec),
        made=made(spec),
        preprocessing=spec.preprocessing,
        closer=_closer(spec.closer),
    )


def _test_section(spec: ReleaseSpec) -> str:
    test, names = spec.metrics["test"], spec.class_names
    return _TEST.format(
        figures_heading=figures_heading(spec),
        threshold=spec.threshold,
        headline=_headline(test),
        balanced=test["balanced_accuracy"],
        macro_f1=test["macro_f1"],
        ece=test["expected_calibration_error"],
        brier=test["brier"],
        class_rows="\n".join(_class_row(name, test["classes"][name]) for name in names),
        confusion_head=" | ".join(words(name) for name in names),
        confusion_rule="|".join("---" for _ in names),
        confusion_rows=_confusion_rows(names, test["confusion"]),
    )


def _headline(test: Mapping[str, Any]) -> str:
    rows = (
        ("Accuracy, all cells named", test["accuracy"]),
        ("Accepted (not referred)", test["accepted"]),
        ("Accuracy of the accepted", test["accuracy_of_accepted"]),
    )
    return "\n".join(f"| {title} | {share(found)} |" for title, found in rows)


def _class_row(name: str, figures: Mapping[str, Any]) -> str:
    recall, precision = share(figures["recall"]), share(figures["precision"])
    return f"| {words(name)} | {recall} | {precision} | {figures['f1']:.4f} |"


def _confusion_rows(names: tuple[str, ...], confusion: list[list[int]]) -> str:
    return "\n".join(
        f"| **{words(name)}** | " + " | ".join(map(str, counts)) + " |"
        for name, counts in zip(names, confusion, strict=True)
    )


def _strangers(rows: list[Mapping[str, Any]]) -> str:
    if not rows:
        return "Not measured for this release."
    sets = sorted({row["set"] for row in rows})
    head = (
        f"Leave-one-source-out: a network trained the same way without {' and '.join(sets)}, and"
        " examined on it. How far training views stray was chosen with this score in sight, so a"
        " third laboratory may fare worse. The margin is the side of the square cut round a cell,"
        " over the cell's size. Accepted is what its rule of referral names, as above, its own"
        " cells calibrating it; before, what its threshold on confidence named.\n\n"
        "| set | margin | accuracy | n | 95 % interval | balanced | accepted | of these right |"
        " before: accepted | right |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n"
    )
    body = "\n".join(
        f"| {row['set']} | {row['margin']} | {share(row['accuracy'])} "
        f"| {row['balanced_accuracy']:.2%} | {percent(row['accepted'])} "
        f"| {percent(row['accuracy_of_accepted'])} | {_before(row)} |"
        for row in rows
    )
    recalls = "\n".join(
        f"- {row['set']}, margin {row['margin']}: "
        + "; ".join(
            f"{words(name)} {percent(found)} of {found['n']}"
            for name, found in row["recall"].items()
        )
        for row in rows
    )
    return f"{head}{body}\n\nRecall by class:\n\n{recalls}"


def _before(row: Mapping[str, Any]) -> str:
    former = row.get("before")
    if former is None:
        return " | "
    return f"{percent(former['accepted'])} | {percent(former['accuracy_of_accepted'])}"


def _cross_validation(found: Mapping[str, Any]) -> str:
    if not found:
        return ""
    head = (
        f"Cross-validation of {found['set']} in {found['folds']} folds by group: each cell read by"
        " a network that learned from the other folds. Accepted is by its threshold on"
        " confidence.\n\n"
        "| margin | accuracy | n | 95 % interval | balanced | accepted | of these right |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    return (
        "\n\n"
        + head
        + "\n".join(
            f"| {margin} | {share(figures['accuracy'])} | {figures['balanced_accuracy']:.2%} "
            f"| {percent(figures['accepted'])} | {percent(figures['accuracy_of_accepted'])} |"
            for margin, figures in found["margins"].items()
        )
    )


def _closer(closer: CloserLook | None) -> str:
    if closer is None:
        return ""
    return (
        f"A cell whose likeliest class has less than {closer.below} probability at the first look "
        f"(temperature {closer.temperature}) is looked at again at {closer.size} pixels, and the "
        "logits of both looks are averaged. "
    )


def _data(data: Mapping[str, Any]) -> str:
    lines = [
        f"- Licence: {data['licence']}",
        f"- Start: {data['start']}",
        f"- Split: {data['split']}",
    ]
    for source in data["sources"]:
        folds = ", ".join(f"{fold} {count:,}" for fold, count in source["folds"].items())
        lines.append(f"- {source['words']}. {source['share_of_views']:.0%} of all views; {folds}")
        lines += [
            f"  - SHA-256 of the {fold} fold's list: `{digest}`"
            for fold, digest in source["fingerprints"].items()
        ]
    return "\n".join(lines)
