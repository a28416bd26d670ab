"""`python -m ml card`: add what was measured beside a release to its spec, and rewrite its card."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ml.artifacts import DEFAULT_RELEASE, read_spec
from ml.errors import DatasetError
from ml.releasing import add_figures


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser's."""
    command = commands.add_parser("card", help="add further figures to a release's card")
    command.set_defaults(run=_run)
    command.add_argument("--release", type=Path, default=DEFAULT_RELEASE, metavar="FOLDER")
    command.add_argument(
        "--left-out", type=Path, metavar="RELEASE", help="a release trained without a set"
    )
    command.add_argument(
        "--cross-validation", type=Path, metavar="FILE", help="the result of `crossvalidate`"
    )
    command.add_argument(
        "--served", type=Path, metavar="FILE", help="report.json of `evaluate`, read once"
    )


def _run(options: argparse.Namespace) -> None:
    figures: dict[str, Any] = {}
    if options.left_out:
        figures["strangers"] = read_spec(options.left_out).metrics.get("strangers", [])
    if options.cross_validation:
        figures["cross_validation"] = _pooled(options.cross_validation)
    if options.served:
        figures["served"] = _served(options.served)
    add_figures(options.release, figures)


def _served(path: Path) -> list[dict[str, Any]]:
    """What a report says of referral, source by source, and what the release compared with did."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        compared = (found["comparison"] or {}).get("sources", [])
        before = {row["name"]: row["other_referral"] for row in compared}
        return [
            {
                "name": row["name"],
                "note": row["note"],
                **row["referral"],
                "before": before.get(row["name"]),
            }
            for row in found["sources"]
        ]
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"{path} is no report of an evaluation: {error}.") from error


def _pooled(path: Path) -> dict[str, Any]:
    """The figures of a cross-validation, without its single cells."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: found[name] for name in ("set", "folds", "margins")}
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"{path} is no result of a cross-validation: {error}.") from error
