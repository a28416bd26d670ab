"""`python -m ml evaluate`: examine a release as it serves, and report on it."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.classes import CELL_CLASSES
from ml.commands.inputs import add_data_options
from ml.evaluation import MARGINS
from ml.inference import load_classifier
from ml.report.comparison import compare
from ml.report.document import describe, make_document, write_document
from ml.report.figures import examine_subject, referral_of
from ml.report.page import write_page
from ml.report.sources import FOLDS, find_sources, fold_name, limit, read
from ml.report.subject import Subject
from ml.report.words import number, number_range
from ml.sources import BCCD


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("evaluate", help="examine a release as it serves")
    command.set_defaults(run=_evaluate)
    add_data_options(command)
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    command.add_argument(
        "--on",
        nargs="+",
        default=[FOLDS[0]],
        metavar="SOURCE",
        help=f"{', '.join(FOLDS)}, {BCCD}, or a folder of class folders or with a catalogue",
    )
    command.add_argument(
        "--margin",
        nargs="+",
        type=float,
        default=MARGINS,
        help="sides of the square cut round a cell of a field, over its size",
    )
    command.add_argument(
        "--classes", nargs="+", choices=CELL_CLASSES, help="look at cells of these classes alone"
    )
    command.add_argument("--out", type=Path, metavar="FOLDER", help="for report.html and .json")
    command.add_argument("--compare", type=Path, metavar="RELEASE", help="on the same cells")


def _evaluate(options: argparse.Namespace) -> None:
    spec = read_spec(options.release)
    subjects = _read(options.release, options.on, options, classes=options.classes)
    calibration = _calibration(options, subjects)
    sources = [
        examine_subject(subject, calibration, spec.referral_quantiles()) for subject in subjects
    ]
    for source in sources:
        sys.stdout.write(_summary(source) + "\n")
    comparison = _compare(options, subjects) if options.compare else None
    if comparison:
        sys.stdout.write(_comparison_summary(comparison) + "\n")
    if options.out:
        fitted = _identity(calibration) if calibration else None
        document = make_document(
            spec,
            sources,
            command=_command(options),
            calibration=fitted,
            comparison=comparison,
        )
        options.out.mkdir(parents=True, exist_ok=True)
        write_document(document, options.out)
        sys.stdout.write(f"report    {write_page(document, subjects, options.out)}\n")


def _read(
    release: Path,
    names: Sequence[str],
    options: argparse.Namespace,
    *,
    classes: Sequence[str] | None,
) -> list[Subject]:
    """Let a release read every source that is named."""
    spec, classifier = read_spec(release), load_classifier(release)
    return [
        read(limit(source, classes) if classes else source, classifier)
        for name in names
        for source in find_sources(name, spec, options.data, margins=options.margin)
    ]


def _calibration(options: argparse.Namespace, subjects: Sequence[Subject]) -> Subject | None:
    """PBC's validation fold, to fit conformal quantiles; None where PBC is not at hand."""
    found = [subject for subject in subjects if subject.name == fold_name(FOLDS[0])]
    if found:
        return found[0]
    if not (options.data / "pbc" / "index.csv").is_file():
        return None
    return _read(options.release, FOLDS[:1], options, classes=None)[0]


def _identity(subject: Subject) -> dict[str, str]:
    return {"name": subject.name, "fingerprint": subject.fingerprint}


def _compare(options: argparse.Namespace, subjects: Sequence[Subject]) -> dict[str, Any]:
    others = _read(options.compare, options.on, options, classes=options.classes)
    pairs = zip(subjects, others, strict=True)
    return {
        "release": describe(read_spec(options.compare)),
        "sources": [
            {
                "name": one.name,
                "note": one.note,
                "other_note": other.note,
                "referral": referral_of(one),
                "other_referral": referral_of(other),
                **compare(one, other),
            }
            for one, other in pairs
        ],
    }


def _command(options: argparse.Namespace) -> str:
    """The command that makes the same figures again, wherever the images lie."""
    words = ["python", "-m", "ml", "evaluate", "--release", str(options.release)]
    words += ["--on", *options.on]
    if BCCD in options.on:
        words += ["--margin", *map(str, options.margin)]
    if options.classes:
        words += ["--classes", *options.classes]
    if options.compare:
        words += ["--compare", str(options.compare)]
    return shlex.join(words)


def _summary(source: Mapping[str, Any]) -> str:
    """The figures of a source for a terminal."""
    view, referral = source["all_classes"], source["referral"]
    low, high = view["accuracy"]["interval_95"]
    lines = [source["name"], *([f"Mind: {source['note']}"] if source["note"] else [])]
    lines += [
        f"accuracy  {number(view['accuracy']['value'])}  ({low:.4f} to {high:.4f})",
        f"cells     {source['cells']}",
        f"balanced  {number(view['balanced_accuracy']['value'])}",
        f"macro F1  {number(view['macro_f1']['value'])}",
        f"ECE       {number(view['ece']['value'])}",
        f"accepted  {number(referral['accepted']['value'])}",
        f"  right   {number(referral['accuracy_of_accepted']['value'])}",
    ]
    lines += [
        f"{name:22} recall {number(each['recall']['value'])} (n={each['recall']['n']})"
        f"  precision {number(each['precision']['value'])}  F1 {number(each['f1']['value'])}"
        for name, each in view["classes"].items()
    ]
    if source["occurring_classes"]:
        names = source["occurring_classes"]["class_names"]
        balanced = source["occurring_classes"]["balanced_accuracy"]["value"]
        lines.append(f"balanced  {number(balanced)} among the {len(names)} classes that occur")
    return "\n".join(lines)


def _comparison_summary(comparison: Mapping[str, Any]) -> str:
    name = f"{comparison['release']['name']} {comparison['release']['version']}"
    return "\n".join(
        f"against {name} on {row['name']}: accuracy "
        f"{number(row['differences']['accuracy']['difference'])} "
        f"({number_range(row['differences']['accuracy']['interval_95'])}), "
        f"McNemar p = {row['mcnemar']['p_value']:.2g}"
        for row in comparison["sources"]
    )
