"""Figures as SVG files that stand beside their tables; colours are told apart by the colour-blind.

Drawn by Matplotlib without a display. Equal data give equal bytes.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK: Final = "#1a2129"
MUTED: Final = "#57616c"
LINE: Final = "#dcdfe3"
ACCENT: Final = "#54398f"
SERIES: Final = (
    ACCENT,
    "#a65d00",
    "#0a6a80",
    "#a5003f",
    "#476600",
    "#1c4fc4",
    "#7c2d12",
    "#57616c",
)
"""The design system's own (static/css/tokens.css); lines differ in dash and marker too."""
DASHES: Final = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")

_STYLE: Final[Any] = {
    "svg.hashsalt": "quality",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.8,
}


@contextmanager
def drawing(*, width: float = 9.0, height: float = 3.4) -> Iterator[tuple[Figure, Axes]]:
    """Give an empty figure, of inches, in the laboratory's style; `as_svg` it before leaving."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


def as_svg(figure: Figure) -> bytes:
    """Write the figure on white, without a date."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", facecolor="white", metadata={"Date": None})
    return stream.getvalue()


def draw_lines(
    axes: Axes, places: Sequence[str], series: Mapping[str, Sequence[float | None]]
) -> None:
    """Draw one line a series over named places; what is None is a gap in its line."""
    for number, (name, values) in enumerate(series.items()):
        axes.plot(
            range(len(places)),
            [float("nan") if value is None else value for value in values],
            label=name,
            color=SERIES[number % len(SERIES)],
            linestyle=DASHES[number % len(DASHES)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=5,
        )
    name_places(axes, places)
    axes.set_ylim(bottom=0)
    if len(series) > 1:
        axes.legend(loc="best")


def name_places(axes: Axes, places: Sequence[str], *, at_most: int = 14) -> None:
    """Name as many places of the horizontal axis as can be read."""
    step = max(1, -(-len(places) // at_most))
    axes.set_xticks(range(0, len(places), step), places[::step])
    axes.set_xlim(-0.3, max(len(places) - 0.7, 0.7))
