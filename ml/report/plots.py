"""Plots as inline SVG whose colours are the page's own, so that they follow light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ml.report.words import words

_PLACEHOLDERS: Final[Mapping[str, str]] = {
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--line)",
    "#040404": "var(--accent)",
    **{f"#0a0a{number:02d}": f"var(--series-{number})" for number in range(8)},
}
"""Colours that Matplotlib draws with, and what the page puts in their place."""

_INK, _MUTED, _LINE, _ACCENT, *_SERIES = _PLACEHOLDERS
_DASHES: Final = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))
"""Class lines differ in dash too, as colour never speaks alone."""

_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "evaluation",
    "font.size": 11,
    "text.color": _INK,
    "axes.edgecolor": _MUTED,
    "axes.labelcolor": _MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.7,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
}


def roc(classes: Mapping[str, Any]) -> str:
    """One-against-rest ROC curves of each class that occurs."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure("False-positive rate", "True-positive rate")
        axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=0.8, linestyle=":")
        lowest = _draw_classes(
            axes, classes, "roc", ("false_positive_rate", "true_positive_rate"), "auroc"
        )
        if lowest > _NEARLY_PERFECT:
            axes.set(xlim=(-0.002, 0.1), ylim=(0.9, 1.002))
        return _svg(figure, "One-against-rest ROC curves")


def precision_recall(classes: Mapping[str, Any]) -> str:
    """One-against-rest precision-recall curves of each class that occurs."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure("Recall", "Precision")
        lowest = _draw_classes(
            axes, classes, "precision_recall", ("recall", "precision"), "average_precision"
        )
        if lowest > _NEARLY_PERFECT:
            axes.set(xlim=(0.7, 1.005), ylim=(0.7, 1.01))
        return _svg(figure, "One-against-rest precision-recall curves")


_NEARLY_PERFECT: Final = 0.97
"""Where the lowest area is larger, the plot shows the corner only: the rest is empty."""


def reliability(bins: Sequence[Mapping[str, float]]) -> str:
    """Accuracy against confidence; a point's area grows with the number of its cells."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure("Confidence", "Accuracy")
        axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=0.8, linestyle=":")
        confidence = [row["confidence"] for row in bins]
        accuracy = [row["accuracy"] for row in bins]
        most = max(row["count"] for row in bins)
        axes.plot(confidence, accuracy, color=_ACCENT, linewidth=1)
        axes.scatter(
            confidence,
            accuracy,
            s=[14 + 130 * row["count"] / most for row in bins],
            color=_ACCENT,
            alpha=0.75,
            linewidths=0,
            zorder=3,
        )
        low = max(0.0, min(*confidence, *accuracy) - 0.1)
        axes.set(xlim=(low, 1.01), ylim=(low - 0.01, 1.02))
        return _svg(figure, "Reliability diagram")


def risk_coverage(curve: Mapping[str, Any]) -> str:
    """Error among the accepted, in percent, against the share that is accepted."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure("Share accepted, most confident first", "Error among them, %")
        risk = [100 * value for value in curve["risk"]]
        axes.plot(curve["coverage"], risk, color=_ACCENT)
        axes.set(xlim=(0, 1.01), ylim=(0, max(1.0, 1.1 * max(risk))))
        return _svg(figure, "Risk against coverage")


def history(rows: Sequence[Mapping[str, float]]) -> list[tuple[str, str]]:
    """Title and plot of accuracy, and of loss where the release recorded it, by epoch."""
    named = (
        ("Accuracy on validation", ("accuracy", "balanced_accuracy")),
        ("Loss", ("training_loss", "validation_loss", "loss")),
    )
    plots = []
    for title, keys in named:
        drawn = [key for key in keys if any(key in row for row in rows)]
        if drawn:
            plots.append((title, _history(rows, drawn, title)))
    return plots


def _history(rows: Sequence[Mapping[str, float]], keys: Sequence[str], title: str) -> str:
    with mpl.rc_context(_STYLE):
        figure, axes = _figure("Epoch", "")
        for number, key in enumerate(keys):
            points = [(row["epoch"], row[key]) for row in rows if key in row]
            axes.plot(
                *zip(*points, strict=True),
                color=_SERIES[number],
                linestyle=_DASHES[number % len(_DASHES)],
                marker="o",
                markersize=3,
                label=words(key).capitalize(),
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="best")
        return _svg(figure, title)


def _draw_classes(
    axes: Axes, classes: Mapping[str, Any], curve: str, ends: tuple[str, str], area: str
) -> float:
    """Draw a line a class, its area in the legend; returns the lowest area."""
    lowest = 1.0
    for number, (name, figures) in enumerate(classes.items()):
        if figures["curves"] is None:
            continue
        value = figures["curves"].get(area, figures["auroc"]["value"])
        lowest = min(lowest, value)
        axes.plot(
            *(figures["curves"][curve][end] for end in ends),
            color=_SERIES[number],
            linestyle=_DASHES[number % len(_DASHES)],
            label=f"{words(name)} {value:.3f}",
        )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    axes.legend(loc="lower right" if curve == "roc" else "lower left")
    return lowest


def _figure(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.6, 3.8), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=x_label, ylabel=y_label)
    return figure, axes


def _svg(figure: Figure, title: str) -> str:
    """The figure as an <svg> that scales to its column; the page's style names its font."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    for placeholder, variable in _PLACEHOLDERS.items():
        text = text.replace(placeholder, variable)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r' id="(?![mpC][0-9a-f_]{6,})[^"]*"', "", text)
    text = re.sub(r"font(-family)?: [^;\"]*'[^;\"]*", _only_size, text)
    head = f'<svg role="img" aria-label="{title}" '
    return re.sub(r' (width|height)="[\d.]+pt"', "", text.replace("<svg ", head, 1), count=2)


def _only_size(found: re.Match[str]) -> str:
    """Keep the size of a font and leave its family to the page."""
    size = re.search(r"[\d.]+px", found[0])
    return f"font-size: {size[0]}" if size else ""
