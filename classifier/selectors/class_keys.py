"""The classes as the review page offers them: key, name, abbreviation."""

from collections.abc import Mapping
from dataclasses import dataclass

from classifier.enums import CellType


@dataclass(frozen=True, slots=True)
class ClassKey:
    """A class with the key that assigns it and the abbreviation that fits on a thumbnail."""

    cell_type: CellType
    key: str
    short: str

    @property
    def label(self) -> str:
        """The name for a reader."""
        return str(self.cell_type.label)


# Digits for the leukocytes, first letters for what is counted apart.
CLASS_KEYS = (
    ClassKey(CellType.NEUTROPHIL, "1", "NEU"),
    ClassKey(CellType.LYMPHOCYTE, "2", "LYM"),
    ClassKey(CellType.MONOCYTE, "3", "MON"),
    ClassKey(CellType.EOSINOPHIL, "4", "EOS"),
    ClassKey(CellType.BASOPHIL, "5", "BAS"),
    ClassKey(CellType.IMMATURE_GRANULOCYTE, "6", "IG"),
    ClassKey(CellType.BLAST, "7", "BLA"),
    ClassKey(CellType.ATYPICAL_LYMPHOCYTE, "8", "ATL"),
    ClassKey(CellType.PLASMA_CELL, "9", "PLC"),
    ClassKey(CellType.ERYTHROBLAST, "e", "ERY"),
    ClassKey(CellType.PLATELET, "p", "PLT"),
    ClassKey(CellType.ERYTHROCYTE, "r", "RBC"),
    ClassKey(CellType.SMUDGE_CELL, "s", "SMU"),
    ClassKey(CellType.ARTEFACT, "x", "ART"),
    ClassKey(CellType.UNIDENTIFIED, "0", "UNI"),
)
SHORT_NAMES: Mapping[str, str] = {item.cell_type: item.short for item in CLASS_KEYS}
