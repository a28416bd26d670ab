"""What codes of HL7 v2 tables mean here; a code that is not listed is refused, never guessed."""

from collections.abc import Mapping

from classifier.enums import Priority, Sex, SpecimenType
from exchange.refusals import NOT_IN_TABLE, Refusal

SEXES: Mapping[str, str] = {
    "": Sex.UNKNOWN,
    "F": Sex.FEMALE,
    "M": Sex.MALE,
    "O": Sex.OTHER,
    "A": Sex.OTHER,
    "U": Sex.UNKNOWN,
    "N": Sex.UNKNOWN,
}
"""Table 0001: A is ambiguous, N not applicable."""

PRIORITIES: Mapping[str, str] = {
    "": Priority.ROUTINE,
    "R": Priority.ROUTINE,
    "ROUTINE": Priority.ROUTINE,
    "C": Priority.ROUTINE,
    "PRN": Priority.ROUTINE,
    "A": Priority.URGENT,
    "ASAP": Priority.URGENT,
    "URGENT": Priority.URGENT,
    "P": Priority.URGENT,
    "T": Priority.URGENT,
    "S": Priority.STAT,
    "STAT": Priority.STAT,
}
"""Table 0485 (P before an operation, T time-critical, C call back), and the words for them."""

SPECIMENS: Mapping[str, str] = {
    "": SpecimenType.EDTA_BLOOD,
    "BLD": SpecimenType.EDTA_BLOOD,
    "WB": SpecimenType.EDTA_BLOOD,
    "BLDV": SpecimenType.EDTA_BLOOD,
    "87612001": SpecimenType.EDTA_BLOOD,
    "119297000": SpecimenType.EDTA_BLOOD,
    "122555007": SpecimenType.EDTA_BLOOD,
    "258580003": SpecimenType.EDTA_BLOOD,
    "445295009": SpecimenType.EDTA_BLOOD,
    "BLDC": SpecimenType.CAPILLARY_BLOOD,
    "122554006": SpecimenType.CAPILLARY_BLOOD,
}
"""Tables 0070 and 0487, and SNOMED CT; blood of no stated kind is taken as EDTA blood."""


def meaning(table: Mapping[str, str], code: str, what: str, location: str) -> str:
    """Return what a code of a table means.

    Raises:
        Refusal: the table doesn't hold it.
    """
    found = table.get(code.upper())
    if found is None:
        raise Refusal(f"This code for {what} is not known.", code=NOT_IN_TABLE, location=location)
    return found
