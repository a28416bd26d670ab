"""ORU^R01 of analysers, read into values by specimen."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from classifier.enums import ResultStatus
from exchange.hl7v2.message import Message, Segment
from exchange.hl7v2.moments import read_moment
from exchange.measurements import SentValue, SpecimenResults
from exchange.refusals import NOT_IN_TABLE, REQUIRED_MISSING, SEGMENT_SEQUENCE, Refusal

STATUSES = {
    "": ResultStatus.FINAL,
    "F": ResultStatus.FINAL,
    "U": ResultStatus.FINAL,
    "C": ResultStatus.CORRECTED,
    "P": ResultStatus.PRELIMINARY,
    "R": ResultStatus.PRELIMINARY,
    "S": ResultStatus.PRELIMINARY,
    "I": ResultStatus.PRELIMINARY,
}
"""Table 0085."""

WITHOUT_VALUE = frozenset({"X", "D", "W", "N", "O"})
"""No result, deleted, wrong patient, not asked, order detail: such a line brings no value."""

NUMERIC = frozenset({"NM", "SN", "ST", ""})


def read_results(message: Message, *, zone: tzinfo) -> list[SpecimenResults]:
    """Return what a message brings, one item for each OBR.

    Raises:
        Refusal: segments are missing, or a status or time isn't understood.
    """
    groups = message.groups("OBR")
    if not groups:
        raise Refusal("The OBR segment is missing.", code=SEGMENT_SEQUENCE, location="OBR^1")
    numbers = _patient_numbers(message.first("PID"))
    position = 0
    found = []
    for group in groups:
        results = _read_group(group, message, numbers, zone, position)
        position += len(results.values)
        found.append(results)
    return found


def _read_group(
    group: Message, message: Message, numbers: tuple[str, ...], zone: tzinfo, start: int
) -> SpecimenResults:
    ids = _specimen_ids(group) or _specimen_ids(message)
    if not ids:
        text = "No number of a specimen was sent."
        raise Refusal(text, code=REQUIRED_MISSING, location="OBR^1^3")
    observations = [
        segment
        for segment in group.all("OBX")
        if segment.text(2).upper() in NUMERIC and segment.text(11).upper() not in WITHOUT_VALUE
    ]
    values = tuple(
        _value(start + offset, segment, group.segments[0], message, zone)
        for offset, segment in enumerate(observations)
    )
    instruments = (segment.text(18) for segment in observations)
    return SpecimenResults(
        specimen_ids=ids,
        patient_numbers=numbers,
        instrument=next(filter(None, instruments), ""),
        values=values,
        notes=message.notes,
    )


def _specimen_ids(group: Message) -> tuple[str, ...]:
    """Numbers in OBR-3, OBR-2, SPM-2 and SAC-3, each once."""
    return tuple(dict.fromkeys(filter(None, _ids(group))))


def _ids(group: Message) -> Iterator[str]:
    for segment in group.segments:
        if segment.name == "OBR":
            yield from (segment.text(3), segment.text(2))
        elif segment.name == "SPM":
            yield from (segment.text(2, 2), segment.text(2, 1))
        elif segment.name == "SAC":
            yield segment.text(3)


def _patient_numbers(pid: Segment | None) -> tuple[str, ...]:
    values = pid.repetitions(3) if pid else []
    return tuple(filter(None, (value.text(1) for value in values)))


def _value(position: int, obx: Segment, obr: Segment, message: Message, zone: tzinfo) -> SentValue:
    status = STATUSES.get(obx.text(11).upper())
    if status is None:
        text = "This status of a result is not known."
        raise Refusal(text, code=NOT_IN_TABLE, location=obx.location(11))
    return SentValue(
        position=position,
        codes=tuple(filter(None, (obx.text(3, 1), obx.text(3, 4)))),
        value=_number(obx),
        unit=_unit(obx),
        status=status,
        measured_at=_moment(obx, obr, message.header, zone),
        flags=" ".join(filter(None, (flag.text(1) for flag in obx.repetitions(8)))),
        location=obx.location(6),
    )


def _number(obx: Segment) -> str:
    """Return OBX-5; of a structured number (SN) only one that is compared with nothing."""
    if obx.text(2).upper() != "SN":
        return obx.text(5)
    is_plain = obx.text(5, 1) in {"", "="} and not obx.text(5, 3)
    return obx.text(5, 2) if is_plain else ""


def _unit(obx: Segment) -> str:
    """Return OBX-6. Analysers write 10^3/uL without escaping the component separator."""
    if obx.text(6) in {"10", "x10"} and obx.text(6, 2)[:1].isdigit():
        return f"{obx.text(6)}^{obx.text(6, 2)}"
    return obx.text(6)


def _moment(obx: Segment, obr: Segment, header: Segment, zone: tzinfo) -> datetime:
    """When it was analysed, else observed, else reported, else sent."""
    for segment, field in ((obx, 19), (obx, 14), (obr, 22), (obr, 7), (header, 7)):
        if text := segment.text(field):
            return read_moment(text, zone, segment.location(field))
    text = "No time of the result was sent."
    raise Refusal(text, code=REQUIRED_MISSING, location=obx.location(14))
