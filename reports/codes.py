"""Codes of the outside world for what a report says: LOINC, SNOMED CT, HL7 v2 tables.

Shared by every message and resource. LOINC codes are those of blood: without a method where
software helped and a human verified, of a manual count where a human named every cell alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reports.content import Reading

LOINC_SYSTEM: Final = "http://loinc.org"
SNOMED_SYSTEM: Final = "http://snomed.info/sct"
UCUM_SYSTEM: Final = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a public system with its name there."""

    code: str
    display: str


@dataclass(frozen=True, slots=True)
class CountCodes:
    """LOINC of one class: per cent of leukocytes and cells per volume, with and without method.

    None where LOINC has no code that is known to us for the manual count.
    """

    percent: Code
    absolute: Code
    manual_percent: Code | None = None
    manual_absolute: Code | None = None


def _counts(
    name: str, percent: str, absolute: str, manual_percent: str = "", manual_absolute: str = ""
) -> CountCodes:
    share, number = f"{name}/Leukocytes in Blood", f"{name} [#/volume] in Blood"
    manually = "by Manual count"
    return CountCodes(
        percent=Code(percent, share),
        absolute=Code(absolute, number),
        manual_percent=Code(manual_percent, f"{share} {manually}") if manual_percent else None,
        manual_absolute=Code(manual_absolute, f"{number} {manually}") if manual_absolute else None,
    )


LEUKOCYTES: Final[Mapping[str, CountCodes]] = {
    "neutrophil": _counts("Neutrophils", "26511-6", "26499-4", "23761-0", "753-4"),
    "lymphocyte": _counts("Lymphocytes", "26478-8", "26474-7", "737-7", "732-8"),
    "monocyte": _counts("Monocytes", "26485-3", "26484-6", "744-3", "743-5"),
    "eosinophil": _counts("Eosinophils", "26450-7", "26449-9", "714-6", "712-0"),
    "basophil": _counts("Basophils", "30180-4", "26444-0", "707-0", "705-4"),
    "immature_granulocyte": _counts("Immature granulocytes", "38518-7", "51584-1"),
    "blast": _counts("Blasts", "26446-5", "30376-8", "709-6"),
    "atypical_lymphocyte": _counts("Variant lymphocytes", "13046-8", "26477-0"),
    "plasma_cell": _counts("Plasma cells", "13047-6", "30458-4"),
}

DIFFERENTIAL_PANEL: Final = Code("69738-3", "Differential panel, method unspecified - Blood")
MANUAL_DIFFERENTIAL_PANEL: Final = Code("24318-8", "Manual Differential panel - Blood")
NUCLEATED_RED_CELLS: Final = Code("19048-8", "Nucleated erythrocytes/Leukocytes [Ratio] in Blood")
MANUAL_NUCLEATED_RED_CELLS: Final = Code(
    "18309-5", "Nucleated erythrocytes/Leukocytes [Ratio] in Blood by Manual count"
)
WHITE_COUNT: Final = Code("26464-8", "Leukocytes [#/volume] in Blood")
ANALYSER_WHITE_COUNT: Final = Code("6690-2", "Leukocytes [#/volume] in Blood by Automated count")
ANALYSER_RESULTS: Final[Mapping[str, Code]] = {
    "platelets": Code("777-3", "Platelets [#/volume] in Blood by Automated count"),
    "nrbc_per_100": Code(
        "58413-6", "Nucleated erythrocytes/Leukocytes [Ratio] in Blood by Automated count"
    ),
    "nrbc": Code("771-6", "Nucleated erythrocytes [#/volume] in Blood by Automated count"),
}
"""What an analyser measured beside the white count; codes of automated counts are for it alone."""
PLATELET_ESTIMATE: Final = Code("49497-1", "Platelets [#/volume] in Blood by Estimate")
DIFFERENTIAL_COMMENT: Final = Code("58445-8", "Differential comment [Interpretation] in Blood")
INTERPRETATION: Final = Code("33255-1", "Cell Fractions/Differential [Interpretation] in Blood")
LABORATORY_REPORT: Final = Code("11502-2", "Laboratory report")
MORPHOLOGY_PANELS: Final[Mapping[str, Code]] = {
    "58408-6": Code("58408-6", "RBC morphology panel - Blood"),
    "58407-8": Code("58407-8", "WBC morphology panel - Blood"),
    "58406-0": Code("58406-0", "Platelet morphology panel - Blood"),
}

# UCUM units in which a report states its values.
PERCENT: Final = "%"
PER_LITRE: Final = "10*9/L"
PER_100_LEUKOCYTES: Final = "/100{WBCs}"
CELLS: Final = "{cells}"

# SNOMED CT needs a national licence: whoever sends it has to say so.
SPECIMENS: Final[Mapping[str, Code]] = {
    "edta_blood": Code("445295009", "Blood specimen with EDTA"),
}
CELLS_SNOMED: Final[Mapping[str, Code]] = {
    "neutrophil": Code("30630007", "Neutrophil"),
    "lymphocyte": Code("56972008", "Lymphocyte"),
    "monocyte": Code("55918008", "Monocyte"),
    "eosinophil": Code("14793004", "Eosinophil"),
    "basophil": Code("30061004", "Basophil"),
    "blast": Code("312256009", "Blast cell"),
    "plasma_cell": Code("113335003", "Plasma cell"),
    "platelet": Code("16378004", "Platelet"),
    "erythrocyte": Code("41898006", "Erythrocyte"),
    "smudge_cell": Code("34717007", "Smudge cell"),
    "artefact": Code("47973001", "Artifact"),
}


@dataclass(frozen=True, slots=True)
class V2Status:
    """How a report's status is written in HL7 v2: OBR-25 (table 0123) and OBX-11 (table 0085)."""

    report: str
    result: str


# Reports in FHIR's words. Version 2.5.1 has no code for an addition: it is final, with the addition
# as a result of its own. Of a withdrawn report each result is posted as wrong (W); the order itself
# can't be, so it is a correction (C).
V2_STATUSES: Final[Mapping[str, V2Status]] = {
    "partial": V2Status("R", "R"),
    "preliminary": V2Status("P", "P"),
    "final": V2Status("F", "F"),
    "corrected": V2Status("C", "C"),
    "appended": V2Status("F", "F"),
    "entered-in-error": V2Status("C", "W"),
    "cancelled": V2Status("X", "X"),
}

# HL7 table 0078, interpretation codes; FHIR's v3-ObservationInterpretation has the same.
FLAGS: Final[Mapping[str, Code]] = {
    "": Code("N", "Normal"),
    "low": Code("L", "Low"),
    "high": Code("H", "High"),
    "critical_low": Code("LL", "Critical low"),
    "critical_high": Code("HH", "Critical high"),
    "critical": Code("AA", "Critical abnormal"),
}

# HL7 table 0001 and FHIR's administrative-gender.
V2_SEXES: Final[Mapping[str, str]] = {"female": "F", "male": "M", "other": "O", "unknown": "U"}

# HL7 table 0485; FHIR's request-priority.
V2_PRIORITIES: Final[Mapping[str, str]] = {"stat": "S", "urgent": "A", "routine": "R"}


def is_manual(reading: Reading) -> bool:
    """Say whether a human named all cells without proposals."""
    return reading.read_by_software == 0


def panel_code(reading: Reading) -> Code:
    """Return the LOINC of the differential as a whole."""
    return MANUAL_DIFFERENTIAL_PANEL if is_manual(reading) else DIFFERENTIAL_PANEL


def percent_code(cell_type: str, reading: Reading) -> Code:
    """Return the LOINC of a class's share of the leukocytes."""
    codes = LEUKOCYTES[cell_type]
    return (codes.manual_percent if is_manual(reading) else None) or codes.percent


def absolute_code(cell_type: str, reading: Reading) -> Code:
    """Return the LOINC of a class's cells per volume."""
    codes = LEUKOCYTES[cell_type]
    return (codes.manual_absolute if is_manual(reading) else None) or codes.absolute


def nucleated_red_cells_code(reading: Reading) -> Code:
    """Return the LOINC of nucleated red cells per 100 leukocytes."""
    return MANUAL_NUCLEATED_RED_CELLS if is_manual(reading) else NUCLEATED_RED_CELLS


def loinc_check_digit(number: str) -> int:
    """Return the mod-10 check digit of a LOINC number without it (LOINC Users' Guide, appendix C).

    Every second digit from the right, beginning with the last, is doubled and its digits added.
    """
    doubled = str(int(number[::-1][::2][::-1]) * 2)
    others = number[::-1][1::2]
    return -sum(int(digit) for digit in doubled + others) % 10
