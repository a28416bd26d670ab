"""ADT^A40: two records of one patient, as the system that gave their numbers says."""

from dataclasses import dataclass

from exchange.hl7v2.message import Message
from exchange.hl7v2.people import IncomingPatient, PatientNumber, read_number, read_patient
from exchange.refusals import REQUIRED_MISSING, SEGMENT_SEQUENCE, Refusal


@dataclass(frozen=True, slots=True)
class IncomingMerge:
    """The patient whose record is to stay (PID), and the number that is to go into it (MRG-1)."""

    survivor: IncomingPatient
    merged: PatientNumber


def read_merge(message: Message, *, default_issuer: str) -> IncomingMerge:
    """Return the merge of a message (HL7 v2.5.1, 3.3.40): the numbers of type MR in PID-3, MRG-1.

    A message may hold many; each needs a decision and an answer of its own, so one is taken.

    Raises:
        Refusal: a segment or field is missing, there are several, or both numbers are the same.
    """
    found = list(message.all("MRG"))
    if not found:
        raise Refusal("The MRG segment is missing.", code=REQUIRED_MISSING, location="MRG^1")
    if len(found) > 1 or len(list(message.all("PID"))) > 1:
        text = "Send each merge as a message of its own."
        raise Refusal(text, code=SEGMENT_SEQUENCE, location="MRG^2")
    survivor = read_patient(message.first("PID"), default_issuer)
    merged = read_number(found[0], default_issuer, field=1)
    if merged == survivor.number:
        raise Refusal("PID-3 and MRG-1 name the same record.", location=found[0].location(1))
    return IncomingMerge(survivor, merged)
