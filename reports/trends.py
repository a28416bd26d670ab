"""The geometry of a small plot of one value over a patient's results; pure, no drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

WIDTH, HEIGHT = 96, 32
EDGE = 4
HEADROOM = 1.08


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time, with its 95 % interval if it has one."""

    at: datetime
    value: Decimal
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class Trend:
    """Places in a box of `WIDTH` by `HEIGHT`, zero at its foot: for SVG's attributes.

    `line` joins the points and `band` goes around their intervals, empty where one has none;
    `reference_y` and `reference_height` bound the reference interval.
    """

    line: str
    band: str
    points: tuple[tuple[float, float], ...]
    reference_y: float | None
    reference_height: float | None
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def last(self) -> tuple[float, float]:
        """Where the newest value lies."""
        return self.points[-1]


def draw(points: Sequence[Point], reference: tuple[Decimal, Decimal] | None) -> Trend | None:
    """Return the plot of the points, oldest first; None if there are fewer than two.

    Horizontally by time, vertically from zero to the highest of values, intervals and reference.
    """
    if len(points) < 2:
        return None
    highest = _highest(points, reference)
    xs = _across([point.at for point in points])
    values = [_up(point.value, highest) for point in points]
    marks = tuple(zip(xs, values, strict=True))
    bounds = (_up(reference[1], highest), _up(reference[0], highest)) if reference else (None, None)
    return Trend(
        line=" ".join(f"{x},{y}" for x, y in marks),
        band=_band(xs, points, highest),
        points=marks,
        reference_y=bounds[0],
        reference_height=round(bounds[1] - bounds[0], 1) if bounds[0] is not None else None,
    )


def _highest(points: Sequence[Point], reference: tuple[Decimal, Decimal] | None) -> float:
    ends = [end for point in points for end in (point.value, point.high) if end is not None]
    return float(max(*ends, reference[1] if reference else 0)) * HEADROOM or 1.0


def _across(times: Sequence[datetime]) -> list[float]:
    """Place times by their distance, or evenly if they are all one."""
    start, span = times[0], (times[-1] - times[0]).total_seconds()
    shares = [
        (time - start).total_seconds() / span if span else place / (len(times) - 1)
        for place, time in enumerate(times)
    ]
    return [round(EDGE + share * (WIDTH - 2 * EDGE), 1) for share in shares]


def _up(value: Decimal, highest: float) -> float:
    return round(HEIGHT - EDGE / 2 - float(value) / highest * (HEIGHT - EDGE), 1)


def _band(xs: Sequence[float], points: Sequence[Point], highest: float) -> str:
    lows, highs = [], []
    for x, point in zip(xs, points, strict=True):
        if point.low is None or point.high is None:
            return ""
        lows.append(f"{x},{_up(point.low, highest)}")
        highs.append(f"{x},{_up(point.high, highest)}")
    return " ".join((*highs, *reversed(lows)))
