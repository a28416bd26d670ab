"""Levey-Jennings charts (Levey and Jennings, Am J Clin Pathol 20:1059, 1950), and intervals."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from classifier.agreement import Estimate
from quality.agreement import Figure
from quality.figures import ACCENT, MUTED, name_places
from quality.models import ControlPoint
from quality.westgard import is_rejection

_BANDS: Final = ((1, "#476600", ":"), (2, "#a65d00", "--"), (3, "#a3212b", "-"))
_REJECTED: Final = "#a3212b"
_WARNED: Final = "#a65d00"


def draw_levey_jennings(axes: Axes, points: Sequence[ControlPoint]) -> None:
    """Draw an analyte's values run by run, with the mean and 1, 2 and 3 SD that each was held to.

    The lines step where another target came into force. Runs that broke a rule differ in shape as
    well as colour: a triangle warns, a cross rejects.
    """
    places = np.arange(len(points))
    values = np.array([point.value for point in points])
    _draw_expected(axes, points)
    axes.plot(places, values, color=ACCENT, linewidth=1.2, marker="o", markersize=4, zorder=3)
    for place, point in enumerate(points):
        if point.broken:
            rejects = is_rejection(point.broken)
            axes.plot(
                place, point.value, linestyle="", zorder=4, markersize=10,
                marker="X" if rejects else "^", color=_REJECTED if rejects else _WARNED,
            )  # fmt: skip
    axes.set_xlabel("Run")
    name_places(axes, [f"{point.run.finished_at:%d %b}" for point in points])
    axes.grid(visible=False)


def _draw_expected(axes: Axes, points: Sequence[ControlPoint]) -> None:
    edges = np.arange(len(points) + 1) - 0.5
    mean = np.array([np.nan if point.mean is None else point.mean for point in points])
    sd = np.array([np.nan if point.sd is None else point.sd for point in points])
    if np.isnan(mean).all():
        return
    axes.stairs(mean, edges, baseline=None, color=MUTED, linewidth=1.2)
    for count, colour, dash in _BANDS:
        for sign in (-1, 1):
            limit = mean + sign * count * sd
            axes.stairs(limit, edges, baseline=None, color=colour, linestyle=dash, linewidth=1)
            last = limit[~np.isnan(limit)][-1]
            axes.annotate(
                f"{'+' if sign > 0 else '-'}{count} SD", (1, last), color=colour,
                xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
                fontsize=9, va="center", annotation_clip=False,
            )  # fmt: skip


def draw_intervals(
    axes: Axes, names: Sequence[str], figures: Sequence[Figure | None], *, lowest: float = 0.0
) -> None:
    """Draw values with their limits, one below the other; what is None keeps an empty row.

    A value without limits is an open circle.
    """
    rows = np.arange(len(names))[::-1]
    for row, figure in zip(rows, figures, strict=True):
        if figure is None:
            continue
        if figure.low is not None and figure.high is not None:
            axes.plot([figure.low, figure.high], [row, row], color=ACCENT, linewidth=2)
        axes.plot(
            figure.value, row, marker="o", markersize=7, linestyle="", color=ACCENT,
            markerfacecolor="white" if figure.low is None else ACCENT,
        )  # fmt: skip
    axes.set_yticks(rows, names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(lowest - 0.02, 1.02)
    axes.grid(visible=False, axis="y")


def draw_share(
    axes: Axes, places: Sequence[str], shares: Sequence[Estimate], *, least: int | None
) -> None:
    """Draw shares in percent with their intervals, in order; a dotted line where a limit is."""
    values = np.array([100 * share.value for share in shares])
    down = values - [100 * share.low for share in shares]
    up = [100 * share.high for share in shares] - values
    axes.errorbar(
        range(len(shares)), values, yerr=[down.clip(0), up.clip(0)], color=ACCENT, marker="o",
        markersize=6, capsize=4, linewidth=1.2,
    )  # fmt: skip
    if least is not None:
        axes.axhline(least, color=_REJECTED, linewidth=1, linestyle=":")
    axes.set(ylim=(0, 104), ylabel="Percent named as agreed")
    name_places(axes, places)
