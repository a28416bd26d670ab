"""Who a message is about and who asked: PID and the names of clinicians."""

from dataclasses import dataclass
from datetime import date

from exchange.hl7v2.codes import SEXES, meaning
from exchange.hl7v2.message import Field, Segment
from exchange.hl7v2.moments import read_date
from exchange.refusals import REQUIRED_MISSING, Refusal

LONGEST_MRN = 32
LONGEST_ISSUER = 64
LONGEST_NAME = 100
LONGEST_CLINICIAN = 150
MEDICAL_RECORD_NUMBER = "MR"
LEGAL_NAME = "L"


@dataclass(frozen=True, slots=True)
class PatientNumber:
    """A medical record number and who gave it."""

    mrn: str
    issuer: str


@dataclass(frozen=True, slots=True)
class IncomingPatient:
    """The person a message is about; `sex` is one of `classifier.enums.Sex`."""

    number: PatientNumber
    family_name: str
    given_name: str
    birth_date: date
    sex: str


def read_patient(pid: Segment | None, default_issuer: str) -> IncomingPatient:
    """Return the patient of PID: number, names and birth date are required.

    Raises:
        Refusal: one of them is missing, unreadable or too long.
    """
    if pid is None:
        raise Refusal("The PID segment is missing.", code=REQUIRED_MISSING, location="PID^1")
    name = _preferred(pid.repetitions(5), 7, LEGAL_NAME)
    if name is None:
        raise _missing(pid, 5, "The patient's name")
    return IncomingPatient(
        number=read_number(pid, default_issuer),
        family_name=_required(pid, 5, name.text(1), "The family name", LONGEST_NAME),
        given_name=_required(pid, 5, name.text(2), "The given name", LONGEST_NAME),
        birth_date=read_date(_required(pid, 7, pid.text(7), "The birth date"), pid.location(7)),
        sex=meaning(SEXES, pid.text(8), "sex", pid.location(8)),
    )


def read_number(pid: Segment, default_issuer: str, field: int = 3) -> PatientNumber:
    """Return the medical record number of PID-3, or MRG-1: the one typed MR, else the first.

    Raises:
        Refusal: there is none, nobody issued it, or it is too long.
    """
    identifier = _preferred(pid.repetitions(field), 5, MEDICAL_RECORD_NUMBER)
    if identifier is None:
        raise _missing(pid, field, "The medical record number")
    issuer = identifier.text(4) or default_issuer
    return PatientNumber(
        _required(pid, field, identifier.text(1), "The medical record number", LONGEST_MRN),
        _required(pid, field, issuer, "The issuer of the medical record number", LONGEST_ISSUER),
    )


def read_clinician(*fields: tuple[Segment | None, int]) -> str:
    """Return the first person named in the fields as "Dr Ada Okafor", "" if none is."""
    for segment, field in fields:
        names = segment.repetitions(field) if segment else []
        if names:
            parts = (names[0].text(6), names[0].text(3), names[0].text(2))
            return (" ".join(filter(None, parts)) or names[0].text(1))[:LONGEST_CLINICIAN]
    return ""


def _preferred(values: list[Field], component: int, wanted: str) -> Field | None:
    matching = (value for value in values if value.text(component).upper() == wanted)
    return next(matching, values[0] if values else None)


def _required(pid: Segment, field: int, value: str, what: str, longest: int = 0) -> str:
    if not value:
        raise _missing(pid, field, what)
    if longest and len(value) > longest:
        raise Refusal(f"{what} is longer than {longest} signs.", location=pid.location(field))
    return value


def _missing(pid: Segment, field: int, what: str) -> Refusal:
    return Refusal(f"{what} is missing.", code=REQUIRED_MISSING, location=pid.location(field))
