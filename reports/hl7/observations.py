"""OBX: one result with unit, limits, flag, status, method, software and performing laboratory."""

from dataclasses import dataclass
from datetime import datetime

from reports import codes
from reports.hl7.encoding import Components, Field, moment, write_segment
from reports.hl7.findings import UNIT_NAMES, Observation

UCUM = "UCUM"


@dataclass(frozen=True, slots=True)
class Frame:
    """What all results of one report share."""

    status: str
    collected_at: datetime
    analysed_at: datetime
    observer: Components
    method: Components
    analyser_method: Components
    laboratory: Components
    address: Components
    director: Components
    application: str


def write_observation(number: int, item: Observation, frame: Frame) -> str:
    """Return the OBX segment of one result."""
    method = frame.analyser_method if item.is_of_analyser else frame.method
    fields: dict[int, Field] = {
        1: str(number),
        2: item.kind,
        3: item.code,
        4: item.sub_id,
        5: item.value,
        6: (item.unit, UNIT_NAMES.get(item.unit, item.unit), UCUM) if item.unit else "",
        7: item.reference,
        8: "" if item.flag is None else codes.FLAGS[item.flag].code,
        11: frame.status,
        14: moment(frame.collected_at),
        16: "" if item.is_of_analyser else frame.observer,
        17: method,
        18: [(f"{each.name} {each.version}", frame.application) for each in item.software],
        19: moment(item.analysed_at or frame.analysed_at),
        23: frame.laboratory,
        24: frame.address,
        25: frame.director,
    }
    if item.is_of_analyser and item.analysed_at is None:
        del fields[19]
    return write_segment("OBX", fields)
