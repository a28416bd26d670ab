"""The evaluation as one HTML page that needs nothing from elsewhere."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from ml.data.pixels import read_cell
from ml.data.records import Record
from ml.report import plots
from ml.report.subject import Subject
from ml.report.words import FILTERS, SHORT
from ml.strangers import PBC_MARGIN

HTML_NAME: Final = "report.html"
_THUMBNAIL: Final = 160
"""Pixels a side: sharp at 80 on a screen of double density and in print."""


def write_page(document: Mapping[str, Any], subjects: Sequence[Subject], folder: Path) -> Path:
    """Write report.html from the document, with thumbnails of the subjects' worst errors."""
    path = folder / HTML_NAME
    path.write_text(render_page(document, subjects), encoding="utf-8")
    return path


def render_page(document: Mapping[str, Any], subjects: Sequence[Subject]) -> str:
    """The page's text; `subjects` are those of the document's sources, in order."""
    environment = Environment(
        loader=PackageLoader("ml.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    text = environment.get_template("report.html").render(
        document=document,
        pictures=[
            _pictures(source, subject)
            for source, subject in zip(document["sources"], subjects, strict=True)
        ],
        history=[(title, Markup(svg)) for title, svg in plots.history(document["history"])],  # noqa: S704 drawn here, nothing of a user's in it
        short=SHORT,
    )
    return text.lstrip()


def _pictures(source: Mapping[str, Any], subject: Subject) -> dict[str, Any]:
    view = source["occurring_classes"] or source["all_classes"]
    drawn = {
        "roc": plots.roc(view["classes"]),
        "precision_recall": plots.precision_recall(view["classes"]),
        "reliability": plots.reliability(source["all_classes"]["reliability_adaptive"]["bins"]),
        "risk_coverage": plots.risk_coverage(source["risk_coverage"]),
    }
    records = [subject.records[row["index"]] for row in source["errors"]["worst"]]
    return {
        **{name: Markup(svg) for name, svg in drawn.items()},  # noqa: S704 drawn here
        "worst": [_thumbnail(record, subject.margin) for record in records],
    }


def _thumbnail(record: Record, margin: float | None) -> str:
    """The cell as a data URL, as large as the page shows it at double density."""
    image = Image.fromarray(read_cell(record, margin=margin or PBC_MARGIN))
    image.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
