"""`python -m ml explain`: show what in a picture raised the score of a class."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ml.artifacts import DEFAULT_RELEASE
from ml.classes import CELL_CLASSES
from ml.errors import ImageRejected, MLError
from ml.explain.explanation import (
    LIME_SAMPLES,
    METHODS,
    SHAP_EVALUATIONS,
    Explanation,
    explain,
)
from ml.explain.network import Network, load_network
from ml.explain.overlay import draw_overlay, draw_sheet
from ml.preprocessing import decode_image, to_png

ALL: Final = "all"
INDEX_NAME: Final = "explanations.json"
_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("explain", help="show what raised the score of a class")
    command.set_defaults(run=_run)
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="image or folder")
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    command.add_argument("--method", choices=(*METHODS, ALL), default=METHODS[0])
    command.add_argument("--class", dest="class_name", choices=CELL_CLASSES, metavar="NAME")
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    command.add_argument("--lime-samples", type=int, default=LIME_SAMPLES)
    command.add_argument("--shap-evaluations", type=int, default=SHAP_EVALUATIONS)
    command.add_argument("--seed", type=int, default=0)


def _run(options: argparse.Namespace) -> None:
    files = list(_named(options.paths))
    if not files:
        raise MLError("No images in what was named.")
    network = load_network(options.release)
    options.out.mkdir(parents=True, exist_ok=True)
    entries = []
    for name, path in tqdm(files, desc="explaining", unit="image"):
        try:
            entries.append({"file": str(path), **_explain_file(network, path, name, options)})
        except (ImageRejected, OSError) as error:
            entries.append({"file": str(path), "error": str(error)})
    text = json.dumps(_index(network, entries), indent=2, ensure_ascii=False, allow_nan=False)
    (options.out / INDEX_NAME).write_text(text + "\n", encoding="utf-8")
    failed = sum("error" in entry for entry in entries)
    sys.stdout.write(f"{len(entries) - failed} explained, {failed} refused, in {options.out}\n")
    if failed:
        raise MLError(f"{failed} of {len(entries)} images could not be explained.")


def _named(paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Every image with a name of its own for its results, also where two folders hold `1.png`."""
    taken: set[str] = set()
    for path in paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in found:
            if path.is_dir() and file.suffix.lower() not in _SUFFIXES:
                continue
            relative = file.relative_to(path) if path.is_dir() else Path(file.name)
            stem = "-".join(relative.with_suffix("").parts)
            number = 1
            while (name := stem if number == 1 else f"{stem}-{number}") in taken:
                number += 1
            taken.add(name)
            yield name, file


def _explain_file(
    network: Network, path: Path, name: str, options: argparse.Namespace
) -> dict[str, Any]:
    pixels = decode_image(path.read_bytes()).pixels
    methods = METHODS if options.method == ALL else (options.method,)
    explanations = [_explain_one(network, pixels, method, options) for method in methods]
    sheet = options.out / f"{name}.png"
    sheet.write_bytes(to_png(draw_sheet(pixels, explanations, path.name)))
    arrays = options.out / f"{name}.npz"
    np.savez_compressed(arrays, allow_pickle=False, **_arrays(explanations))
    results = []
    for explanation in explanations:
        overlay = options.out / f"{name}.{explanation.method}.png"
        overlay.write_bytes(to_png(draw_overlay(pixels, explanation.heat)))
        results.append({**_entry(explanation), "overlay": overlay.name})
    return {"sheet": sheet.name, "arrays": arrays.name, "explanations": results}


def _explain_one(
    network: Network, pixels: NDArray[np.uint8], method: str, options: argparse.Namespace
) -> Explanation:
    try:
        return explain(
            network,
            pixels,
            method=method,
            class_name=options.class_name,
            lime_samples=options.lime_samples,
            shap_evaluations=options.shap_evaluations,
            seed=options.seed,
        )
    except ValueError as error:
        raise MLError(str(error)) from error


def _arrays(explanations: Sequence[Explanation]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for each in explanations:
        arrays[f"{each.method}/heat"] = each.heat
        arrays[f"{each.method}/signed"] = each.signed
        if each.scores is not None:
            arrays[f"{each.method}/deletion"] = each.scores.deletion_curve
            arrays[f"{each.method}/insertion"] = each.scores.insertion_curve
    return arrays


def _entry(explanation: Explanation) -> dict[str, Any]:
    scores = explanation.scores
    measured = (
        {}
        if scores is None
        else {
            "deletion": scores.deletion,
            "insertion": scores.insertion,
            "random_deletion": scores.random_deletion,
            "random_insertion": scores.random_insertion,
        }
    )
    return {
        "method": explanation.method,
        "class": explanation.class_name,
        "probability": explanation.probability,
        **{name: round(value, 5) for name, value in measured.items()},
        "parameters": dict(explanation.parameters),
        "findings": {name: round(value, 6) for name, value in explanation.findings.items()},
        "caption": explanation.caption,
        "reservations": list(explanation.reservations),
    }


def _index(network: Network, entries: list[dict[str, Any]]) -> dict[str, Any]:
    spec = network.spec
    return {
        "model": {"name": spec.name, "version": spec.version, "sha256": spec.sha256},
        "preprocessing": spec.preprocessing,
        "images": entries,
    }
