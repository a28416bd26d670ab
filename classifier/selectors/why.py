"""Why a model gives a cell its class: the maps that there are, and what belongs beside them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404

from classifier.enums import QUICK_METHODS, CellType, ExplanationMethod
from classifier.models import Case, Cell, Explanation, ModelVersion, Prediction
from classifier.selectors.cells import CellView, list_cells
from classifier.selectors.reference_cells import ReferenceView, nearest
from classifier.textbook import SOURCES, TEXTBOOK, Description, compare
from ml.morphology import UNCERTAIN

if TYPE_CHECKING:
    from accounts.models import User

LEAST_DELETION_GAIN = 0.30
LEAST_INSERTION_GAIN = 0.27
"""What one map of noise in twenty gains over others: less is no better than chance.

Measured on 200 cells with 8 maps of noise each by `python -m benchmarks.map_noise`.
"""

_ASKABLE = 4
_HATCHES = 40
_ROOM = 1.15
"""Side of the picture shown over that of what the network saw."""

_CHART = (120, 44)
"""Width and height of a curve's drawing."""


@dataclass(frozen=True, slots=True)
class AskedClass:
    """A class that can be asked about, with the machine's probability and why it is offered."""

    cell_type: str
    label: str
    probability: float
    reason: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Score:
    """How well a map does at deletion or insertion, beside random orders."""

    name: str
    area: float
    chance: float
    is_better: bool
    points: str
    words: str


@dataclass(frozen=True, slots=True)
class MapView:
    """One method's map, or the place for one that nobody asked for yet."""

    method: str
    title: str
    is_shown: bool
    explanation: Explanation | None

    @property
    def is_quick(self) -> bool:
        """True where the map is there in an instant."""
        return self.method in QUICK_METHODS

    @property
    def status(self) -> str:
        """Where the explanation stands, "" if nobody asked for it."""
        return self.explanation.status if self.explanation else ""

    @property
    def scores(self) -> tuple[Score, ...]:
        """Deletion and insertion; empty until they are measured."""
        measured = self.explanation.scores if self.explanation else {}
        return (_deletion(measured), _insertion(measured)) if measured else ()

    @property
    def percent(self) -> int:
        """How much of it is made."""
        made = self.explanation
        return 100 * made.done // made.total if made and made.total else 0


@dataclass(frozen=True, slots=True)
class Trait:
    """One trait of the cell's looks in the machine's words, held against the textbook.

    ``fits`` is None where the machine is uncertain, or the textbook does not decide.
    """

    title: str
    words: str
    likeliest: str
    probability: float
    is_certain: bool
    fits: bool | None


@dataclass(frozen=True, slots=True)
class Chance:
    """The machine's probability of a class, and whether it rules the class out."""

    cell_type: str
    label: str
    probability: float
    is_candidate: bool


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that is shown of one cell, one class and one method.

    ``model`` is the version that named the cell, and explains it; None if no machine read it.
    ``textbook`` is that of the class asked about.
    """

    case: Case
    cell: CellView
    model: ModelVersion | None
    asked: str
    classes: tuple[AskedClass, ...]
    maps: tuple[MapView, ...]
    chances: tuple[Chance, ...]
    candidates: tuple[str, ...]
    textbook: Description
    older: tuple[str, ...]
    alike: tuple[ReferenceView, ...]
    traits: tuple[Trait, ...]

    @property
    def is_read(self) -> bool:
        """True if a machine named the cell."""
        return self.model is not None

    @property
    def is_known(self) -> bool:
        """True if the version has the class asked about."""
        return self.model is not None and self.asked in self.model.class_names

    @property
    def shown(self) -> MapView:
        """The map of the method chosen."""
        return next(each for each in self.maps if each.is_shown)

    @property
    def region(self) -> Sequence[int]:
        """What the worker looked at, else what the stage shows: left, top, width, height."""
        made = self.shown.explanation
        if made and made.region:
            return list(made.region)
        return [int(each) for each in self.cell.view_box.split()]

    @property
    def view(self) -> Sequence[float]:
        """What the picture shows, left, top, width, height: a square round what the network saw."""
        left, top, width, height = self.region
        made = self.shown.explanation
        x, y, across, down = made.outlines["seen"] if made and made.heat else (0, 0, width, height)
        side = min(_ROOM * max(across, down), max(width, height))
        x0 = _within(x + (across - side) / 2, width - side)
        y0 = _within(y + (down - side) / 2, height - side)
        return (left + x0, top + y0, side, side)

    @property
    def hatch(self) -> float:
        """Distance of the lines that hatch what speaks against a class, in pixels of the image."""
        return self.view[2] / _HATCHES

    @property
    def is_open(self) -> bool:
        """True while a worker may still change something."""
        return any(each.explanation and each.explanation.is_open for each in self.maps)

    @property
    def lacks_quick_maps(self) -> bool:
        """True where nobody asked for the quick maps yet."""
        quick = (each for each in self.maps if each.is_quick)
        return self.is_read and self.is_known and all(each.explanation is None for each in quick)

    @property
    def has_map(self) -> bool:
        """True once a worker has looked at the cell."""
        return any(each.explanation and each.explanation.heat for each in self.maps)

    @property
    def fitting(self) -> int:
        """How many traits fit the textbook of the class asked about."""
        return sum(each.fits is True for each in self.traits)

    @property
    def compared(self) -> int:
        """How many traits could be held against it."""
        return sum(each.fits is not None for each in self.traits)

    @property
    def alike_of_class(self) -> int:
        """How many of the cells that look alike are of the class asked about."""
        return sum(each.cell_type == self.asked for each in self.alike)

    @property
    def is_redrawn(self) -> bool:
        """True where a reviewer drew the box anew after the machine had read it."""
        return self.cell.box != self.cell.first_box

    @property
    def sources(self) -> str:
        """Where the textbook's words come from."""
        return "; ".join(SOURCES)

    @property
    def question(self) -> str:
        """What is asked, in words."""
        name = str(CellType(self.asked).label).lower()
        return f"Why {name}?" if self.asked == self.cell.suggestion else f"Why not {name}?"


def find_cell(user: "User", cell_id: uuid.UUID) -> Cell:
    """Return a cell of a case the user may see, with image, case and patient; else Http404."""
    cells = Cell.objects.filter(image__case__in=Case.objects.visible_to(user))
    return get_object_or_404(cells.select_related("image__case__patient"), pk=cell_id)


def ask_why(user: "User", cell: Cell, *, cell_type: str = "", method: str = "") -> Why:
    """Return what is known of why the machine gives a cell a class, by default its likeliest."""
    case = cell.image.case
    [view] = list_cells(case, [cell.pk])
    prediction = _latest_prediction(cell)
    model = prediction.run.model_version if prediction else None
    asked = cell_type if cell_type in CellType.values else view.suggestion or view.finding
    made = _made(cell, asked, model)
    return Why(
        case=case,
        cell=view,
        model=model,
        asked=asked,
        classes=_classes(view, asked),
        maps=_maps(made, method),
        chances=_chances(view, prediction),
        candidates=tuple(prediction.candidates) if prediction else (),
        textbook=TEXTBOOK[CellType(asked)],
        older=_older(cell, asked, model),
        alike=tuple(nearest(user, cell)),
        traits=_traits(cell, asked, model),
    )


def _within(start: float, room: float) -> float:
    """A start that leaves nothing outside; the middle where there is too little room."""
    return min(max(start, 0.0), room) if room > 0 else room / 2


def _latest_prediction(cell: Cell) -> Prediction | None:
    return cell.predictions.select_related("run__model_version").order_by("-pk").first()


def _made(cell: Cell, asked: str, model: ModelVersion | None) -> dict[str, Explanation]:
    rows = _explanations(cell, asked).filter(model_version=model)
    return {each.method: each for each in rows.select_related("model_version")}


def _explanations(cell: Cell, asked: str) -> Any:
    return cell.explanations.filter(**_box(cell), cell_type=asked)


def _box(cell: Cell) -> dict[str, int]:
    """The box that the machine read, as columns."""
    return dict(zip(("x0", "y0", "x1", "y1"), cell.box, strict=True))


def _traits(cell: Cell, asked: str, model: ModelVersion | None) -> tuple[Trait, ...]:
    """The cell's looks in words; none if they weren't read yet, or can't be told."""
    reading = cell.trait_readings.filter(**_box(cell), model_version=model).first()
    if reading is None:
        return ()
    return tuple(_trait(each, CellType(asked)) for each in reading.traits)


def _trait(stored: Mapping[str, Any], asked: CellType) -> Trait:
    is_certain = stored["value"] != UNCERTAIN
    return Trait(
        title=stored["title"],
        words=stored["words"],
        likeliest=stored["likeliest"],
        probability=stored["probability"],
        is_certain=is_certain,
        fits=compare(asked, stored["name"], stored["value"]) if is_certain else None,
    )


def _older(cell: Cell, asked: str, model: ModelVersion | None) -> tuple[str, ...]:
    """Other model versions whose explanations of the same are kept."""
    others = _explanations(cell, asked).exclude(model_version=model).order_by("model_version_id")
    found = others.select_related("model_version").distinct("model_version_id")
    return tuple(str(each.model_version) for each in found)


def _classes(view: CellView, asked: str) -> tuple[AskedClass, ...]:
    """The likeliest and the second class, the human's, and the one asked about."""
    ranked = sorted(view.probabilities, key=lambda name: -view.probabilities[name])
    reasons: dict[str, str] = {}
    if ranked:
        reasons = {ranked[0]: "machine's likeliest", ranked[1]: "second"}
    if view.mark.human_type:
        also = reasons.get(view.mark.human_type)
        reasons[view.mark.human_type] = f"{also}, reviewer's" if also else "reviewer's"
    reasons.setdefault(asked, "asked about")
    return tuple(
        AskedClass(
            cell_type=name,
            label=str(CellType(name).label),
            probability=view.probabilities.get(name, 0.0),
            reason=reason,
            is_shown=name == asked,
        )
        for name, reason in list(reasons.items())[:_ASKABLE]
    )


def _maps(made: Mapping[str, Explanation], method: str) -> tuple[MapView, ...]:
    chosen = method if method in ExplanationMethod.values else ExplanationMethod.GRAD_CAM
    return tuple(
        MapView(each.value, str(each.label), each.value == chosen, made.get(each.value))
        for each in ExplanationMethod
    )


def _chances(view: CellView, prediction: Prediction | None) -> tuple[Chance, ...]:
    """The machine's classes, the likeliest first."""
    if prediction is None:
        return ()
    ranked = sorted(view.probabilities.items(), key=lambda item: -item[1])
    return tuple(
        Chance(name, str(CellType(name).label), chance, name in prediction.candidates)
        for name, chance in ranked
    )


def _deletion(measured: Mapping[str, Any]) -> Score:
    area, chance = measured["deletion"], measured["random_deletion"]
    is_better = chance - area >= LEAST_DELETION_GAIN
    effect = "takes the class away sooner" if is_better else "takes the class away no sooner"
    return Score(
        "Covering what it marks first",
        area,
        chance,
        is_better,
        _points(measured["deletion_curve"]),
        f"{effect} than covering places at random",
    )


def _insertion(measured: Mapping[str, Any]) -> Score:
    area, chance = measured["insertion"], measured["random_insertion"]
    is_better = area - chance >= LEAST_INSERTION_GAIN
    effect = "brings the class back sooner" if is_better else "brings the class back no sooner"
    return Score(
        "Showing what it marks first",
        area,
        chance,
        is_better,
        _points(measured["insertion_curve"]),
        f"{effect} than showing places at random",
    )


def _points(curve: Sequence[float]) -> str:
    """The curve of a probability as points of an SVG line."""
    width, height = _CHART
    step = width / (len(curve) - 1)
    return " ".join(
        f"{place * step:.1f},{height * (1 - value):.1f}" for place, value in enumerate(curve)
    )
