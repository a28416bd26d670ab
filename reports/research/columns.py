"""The tables of a research archive: one list of columns writes them and explains them.

Nothing is exported that has no column here. Free text has none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from classifier.enums import CellType, RepeatMark
from classifier.models import Cell, SmearImage
from ml.classes import CELL_CLASSES
from reports.content import DifferentialRow, ReportContent
from reports.listing import CLASSES
from reports.research.masking import Mask

Row = TypeVar("Row")
NOT_MEASURED: Final = "empty: not measured"
ALWAYS: Final = "never missing"


@dataclass(frozen=True, slots=True)
class ReportedCase:
    """A signed report under the mask of its patient."""

    mask: Mask
    patient_id: object
    case_id: object
    says: ReportContent


@dataclass(frozen=True, slots=True)
class MaskedImage:
    """A picture of a case; `file` is its name in the archive, empty if it isn't there."""

    mask: Mask
    image: SmearImage
    file: str


@dataclass(frozen=True, slots=True)
class MaskedCell:
    """A cell, with findings, under the mask of its patient."""

    mask: Mask
    cell: Any  # a Cell with the findings of `CellQuerySet.with_findings`
    case_id: object


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column: what it means, its unit, the values it takes, what it is when there is none."""

    name: str
    meaning: str
    take: Callable[[Row], object]
    unit: str = ""
    values: str = ""
    missing: str = ALWAYS


def _codes(*members: CellType) -> str:
    return " | ".join(members or CellType.values)


def _of_class(code: str) -> Iterator[Column[ReportedCase]]:
    def take(part: Callable[[DifferentialRow], object]) -> Callable[[ReportedCase], object]:
        return lambda case: next(
            (part(row) for row in case.says.differential if row.cell_type.code == code), ""
        )

    unseen = "empty: the class is not on the report"
    yield Column(f"{code}_count", f"{code}: cells counted", take(lambda row: row.count), "cells",
                 "0 or more", unseen)  # fmt: skip
    yield Column(f"{code}_percent", f"{code}: share of leukocytes", take(lambda row: row.percent),
                 "%", "0 to 100", "empty: not on the report, or no leukocyte counted")  # fmt: skip
    yield Column(f"{code}_absolute", f"{code}: absolute count",
                 take(lambda row: row.absolute), "10*9/L", "0 or more",
                 "empty: no count by the analyser")  # fmt: skip


def _measured(code: str) -> Callable[[ReportedCase], object]:
    return lambda case: next(
        (item.value for item in case.says.analyser_results if item.analyte.code == code), ""
    )


CASE_COLUMNS: Final[tuple[Column[ReportedCase], ...]] = (
    Column("case", "pseudonym of the case", lambda c: c.mask.code("case", c.case_id)),
    Column("patient", "pseudonym of the patient, the same in every export",
           lambda c: c.mask.code("patient", c.patient_id)),
    Column("sex", "administrative sex", lambda c: c.says.patient.sex.code,
           values="female | male | other | unknown"),
    Column("age", "age at collection; 90 stands for all ages above 89",
           lambda c: c.mask.age(c.says.patient.age_years), "a", "0 to 90"),
    Column("report_status", "standing of the signed report", lambda c: c.says.status.code,
           values="final | corrected | appended"),
    Column("priority", "urgency of the request", lambda c: c.says.request.priority.code,
           values="routine | urgent | stat"),
    Column("specimen_type", "what was taken", lambda c: c.says.specimen.specimen_type.code),
    Column("stain", "stain of the smear", lambda c: c.says.specimen.stain.code),
    Column("condition", "state of the specimen", lambda c: c.says.specimen.condition.code),
    Column("collected_at", "when the blood was taken, shifted by the patient's secret span",
           lambda c: c.mask.moment(c.says.specimen.collected_at), "UTC", "ISO 8601"),
    Column("received_at", "when it arrived, shifted by the same span",
           lambda c: c.mask.moment(c.says.specimen.received_at), "UTC", "ISO 8601"),
    Column("signed_at", "when the report was signed, shifted by the same span",
           lambda c: c.mask.moment(c.says.signature.signed_at if c.says.signature else None),
           "UTC", "ISO 8601"),
    Column("software", "classifiers that proposed classes, with their versions",
           lambda c: "; ".join(f"{one.name} {one.version}" for one in c.says.reading.software),
           missing="empty: read by eye alone"),
    Column("images", "pictures of the case", lambda c: c.says.reading.images, "images"),
    Column("leukocytes", "leukocytes counted", lambda c: c.says.reading.leukocytes, "cells"),
    Column("referred", "cells that the software left to a human",
           lambda c: c.says.reading.referred, "cells"),
    Column("named_by_human", "cells that a human named",
           lambda c: c.says.reading.named_by_human, "cells"),
    Column("changed_by_human", "cells that a human named otherwise than the software",
           lambda c: c.says.reading.changed_by_human, "cells"),
    *(column for code in CLASSES for column in _of_class(code)),
    Column("nucleated_red_cells", "nucleated red cells seen",
           lambda c: c.says.nucleated_red_cells.count, "cells"),
    Column("nucleated_red_cells_per_100", "nucleated red cells per 100 leukocytes",
           lambda c: c.says.nucleated_red_cells.per_100_leukocytes, "/100 WBC",
           missing="empty: no leukocyte counted"),
    Column("wbc", "leukocyte count of the analyser",
           lambda c: c.says.white_count.value if c.says.white_count else "", "10*9/L",
           missing=NOT_MEASURED),
    Column("platelets_measured", "platelets of the analyser", _measured("platelets"), "10*9/L",
           missing=NOT_MEASURED),
    Column("nucleated_red_cells_per_100_measured",
           "nucleated red cells per 100 leukocytes of the analyser", _measured("nrbc_per_100"),
           "/100 WBC", missing=NOT_MEASURED),
    Column("platelets_estimated", "platelets estimated from whole fields",
           lambda c: c.says.fields.platelets if c.says.fields else "", "10*9/L",
           missing="empty: no whole fields, or no factor is set"),
    Column("is_demonstration", "whether the laboratory is a demonstration",
           lambda c: c.says.laboratory.is_demo, values="true | false"),
)  # fmt: skip


def _measure(name: str) -> Callable[[MaskedImage], object]:
    return lambda row: row.image.quality.get("measures", {}).get(name, "")


_OF_FIELDS: Final = "empty: not a field, or not judged"
IMAGE_COLUMNS: Final[tuple[Column[MaskedImage], ...]] = (
    Column("image", "pseudonym of the picture", lambda i: i.mask.code("image", i.image.pk)),
    Column("case", "pseudonym of the case", lambda i: i.mask.code("case", i.image.case_id)),
    Column("file", "name in this archive; PNG, lossless, without metadata", lambda i: i.file,
           missing="empty: pictures were not asked for, or it can't be read"),
    Column("kind", "what it shows", lambda i: i.image.kind, values="cell | field"),
    Column("width", "width", lambda i: i.image.width, "px"),
    Column("height", "height", lambda i: i.image.height, "px"),
    Column("brightness", "brightness of the background", _measure("brightness"),
           values="0 to 1", missing=_OF_FIELDS),
    Column("contrast", "contrast of cells against the background", _measure("contrast"),
           missing=_OF_FIELDS),
    Column("covered", "share of the picture that cells cover", _measure("covered"),
           values="0 to 1", missing=_OF_FIELDS),
    Column("clipped", "share of pixels without detail", _measure("clipped"),
           values="0 to 1", missing=_OF_FIELDS),
    Column("red_cell", "diameter of a red cell", _measure("red_cell"), "px", missing=_OF_FIELDS),
    Column("blur", "width of cells' outlines, in diameters of a red cell", _measure("blur"),
           missing=_OF_FIELDS),
    Column("problems", "codes of what is wrong with the field",
           lambda i: "; ".join(one["code"] for one in i.image.quality.get("problems", ())),
           missing="empty: nothing found"),
)  # fmt: skip


def _probability(code: str) -> Column[MaskedCell]:
    return Column(
        f"p_{code}",
        f"the software's probability of {code}",
        lambda row: (row.cell.machine_probabilities or {}).get(code, ""),
        values="0 to 1",
        missing="empty: not classified by software",
    )


def _is_counted(cell: Any) -> bool:
    """Say what `CellQuerySet.counted` asks for: whole, not removed, not seen before."""
    is_repeat = cell.repeat_of_id is not None or cell.human_repeat == RepeatMark.REPEAT
    is_once = not is_repeat or cell.human_repeat == RepeatMark.DISTINCT
    return is_once and not cell.cut and not cell.removed


CELL_COLUMNS: Final[tuple[Column[MaskedCell], ...]] = (
    Column("cell", "pseudonym of the cell", lambda r: r.mask.code("cell", r.cell.pk)),
    Column("image", "pseudonym of the picture", lambda r: r.mask.code("image", r.cell.image_id)),
    Column("case", "pseudonym of the case", lambda r: r.mask.code("case", r.case_id)),
    Column("x0", "box on the picture: left", lambda r: r.cell.box_now[0], "px"),
    Column("y0", "box on the picture: top", lambda r: r.cell.box_now[1], "px"),
    Column("x1", "box on the picture: right", lambda r: r.cell.box_now[2], "px"),
    Column("y1", "box on the picture: bottom", lambda r: r.cell.box_now[3], "px"),
    Column("origin", "who said that there is a cell", lambda r: r.cell.origin,
           values="full_frame | machine | human"),
    Column("detected_as", "what the detector took it for", lambda r: r.cell.detected_as,
           values="leukocyte | erythrocyte | platelet"),
    Column("detection_confidence", "the detector's confidence",
           lambda r: r.cell.detection_confidence, values="0 to 1",
           missing="empty: not found by the detector"),
    Column("machine_class", "the software's class", lambda r: r.cell.machine_type,
           values=" | ".join((*CELL_CLASSES, "erythrocyte", "unidentified")),
           missing="empty: not classified by software"),
    Column("machine_confidence", "the software's confidence in it",
           lambda r: r.cell.machine_confidence, values="0 to 1",
           missing="empty: not classified by software"),
    Column("machine_referred", "whether the software left it to a human",
           lambda r: r.cell.machine_referred, values="true | false"),
    *(_probability(code) for code in CELL_CLASSES),
    Column("human_class", "the class that a reviewer gave it", lambda r: r.cell.human_type,
           values=_codes(), missing="empty: the reviewer left the software's class"),
    Column("at_edge", "whether the picture's edge cuts it", lambda r: r.cell.cut,
           values="true | false"),
    Column("removed", "whether a reviewer said that there is no cell", lambda r: r.cell.removed,
           values="true | false"),
    Column("counted", "whether it counts: whole, not removed, not seen in another field",
           lambda r: _is_counted(r.cell), values="true | false"),
)  # fmt: skip

TABLES: Final[dict[str, tuple[Column[Any], ...]]] = {
    "cases.csv": CASE_COLUMNS,
    "images.csv": IMAGE_COLUMNS,
    "cells.csv": CELL_COLUMNS,
}


def dictionary() -> Iterator[tuple[str, ...]]:
    """Give the data dictionary: header, then every column of every table."""
    yield ("file", "column", "meaning", "unit", "values", "missing")
    for file, columns in TABLES.items():
        for column in columns:
            yield (file, column.name, column.meaning, column.unit, column.values, column.missing)


def cells_of(image: SmearImage) -> Any:
    """Return the cells of a picture with what machine and human say of them."""
    return Cell.objects.filter(image=image).with_findings().order_by("y0", "x0", "pk")
