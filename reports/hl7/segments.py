"""PID, ORC, OBR, TQ1 and SPM of a report, and what its results share."""

from typing import TYPE_CHECKING

from reports import codes, formats
from reports.content import Amendment, Letterhead, ReportContent, Signature, Withdrawal
from reports.hl7.encoding import Components, Field, day, moment, one_line, write_segment
from reports.hl7.findings import LOCAL, Note, local, loinc
from reports.hl7.observations import Frame

if TYPE_CHECKING:
    from reports.hl7.message import Party, PlacerOrder

# HL7 table 0487, kind of specimen, and 0493, its condition; else our own word.
SPECIMEN_KINDS = {
    "edta_blood": ("BLDV", "Blood venous"),
    "citrate_blood": ("BLDV", "Blood venous"),
    "capillary_blood": ("BLDC", "Blood capillary"),
    "direct_smear": ("BLDC", "Blood capillary"),
}
CONDITIONS = {"clotted": ("CLOT", "Clotted"), "haemolysed": ("HEM", "Hemolyzed")}
METHOD_WITH_SOFTWARE = local("ai_assisted", "AI-assisted, human-verified digital microscopy")
METHOD_BY_EYE = local("by_eye", "Digital microscopy, every cell named by a human")
METHOD_OF_ANALYSER = local("analyser", "Haematology analyser")
# Data type ST holds 199 characters.
LONGEST_TEXT = 199
ORDER_STATUSES = {"F": "CM", "C": "CM", "X": "CA"}


def patient(content: ReportContent) -> str:
    """Return PID: identifier with issuer, name, birth date, sex."""
    who = content.patient
    return write_segment(
        "PID",
        {
            1: "1",
            3: (who.mrn, "", "", (who.mrn_issuer,), "MR"),
            5: ((who.family_name,), who.given_name, "", "", "", "", "L"),
            7: day(who.birth_date),
            8: codes.V2_SEXES[who.sex.code],
        },
    )


def order(content: ReportContent, placer: "PlacerOrder | None", application: str) -> str:
    """Return ORC: results follow (RE), both order numbers, whether it is complete, who asked."""
    return write_segment(
        "ORC",
        {
            1: "RE",
            2: _placer(placer),
            3: (content.request.accession_number, application),
            5: ORDER_STATUSES.get(_statuses(content).report, "IP"),
            12: _by_name(content.request.ordering_clinician),
        },
    )


def request(
    content: ReportContent,
    signature: Signature,
    placer: "PlacerOrder | None",
    sender: "Party",
) -> str:
    """Return OBR: what was asked for, collected when, signed when and by whom, how it stands."""
    asked = content.request
    fields: dict[int, Field] = {
        1: "1",
        2: _placer(placer),
        3: (asked.accession_number, sender.application),
        4: loinc(codes.panel_code(content.reading)),
        7: moment(content.specimen.collected_at),
        13: _if_short(asked.clinical_details),
        14: moment(content.specimen.received_at),
        16: _by_name(asked.ordering_clinician),
        22: moment(signature.signed_at),
        24: "HM",
        25: _statuses(content).report,
        32: ((str(signature.signer_id), signature.printed_name),),
    }
    return write_segment("OBR", fields)


def timing(content: ReportContent) -> str:
    """Return TQ1: how urgently the result was wanted."""
    priority = content.request.priority
    return write_segment(
        "TQ1", {1: "1", 9: (codes.V2_PRIORITIES[priority.code], priority.display, "HL70485")}
    )


def report_notes(content: ReportContent) -> tuple[Note, ...]:
    """Say which version this is and what it corrects."""
    signature = content.signature
    notes = [f"{content.title}: {content.status.display.lower()}"]
    if signature:
        signed = formats.moment_exact(signature.signed_at)
        notes.append(f"{signature.meaning.display}: {signature.printed_name}, {signed}")
    if content.replaces:
        notes.append(f"Replaces interim version {content.replaces.version}.")
    if content.is_cancelled and content.amendment:
        notes.append(_cancellation_note(content.amendment))
    elif content.amendment:
        notes += _amendment_notes(content.amendment)
    if content.withdrawal:
        notes.append(_withdrawal_note(content.withdrawal))
    for name, text in _long_texts(content):
        notes.append(f"{name}: {text}")
    return tuple(notes)


def _amendment_notes(amendment: Amendment) -> list[Note]:
    """Say what a later version supersedes, why, and what was said before."""
    when = formats.moment(amendment.superseded_at)
    first = (
        f"Supersedes version {amendment.supersedes_version} of {when}. Reason: {amendment.reason}"
    )
    if amendment.is_addition:
        return [first, "Nothing that was signed before has changed."]
    return [first, *(f"{item.item}: was {item.old}, is {item.new}" for item in amendment.changes)]


def _cancellation_note(amendment: Amendment) -> Note:
    return (
        f"CANCELLED: interim version {amendment.supersedes_version} is withdrawn, there will be "
        f"no result; do not use it. Reason: {amendment.reason}"
    )


def _withdrawal_note(withdrawal: Withdrawal) -> Note:
    return (
        "WITHDRAWN: this report was entered in error; do not use its results. "
        f"Requested by {withdrawal.requested_by}, confirmed by {withdrawal.confirmed_by} "
        f"on {formats.moment(withdrawal.confirmed_at)}."
    )


def specimen(content: ReportContent, application: str, *, sends_snomed: bool) -> str:
    """Return SPM: our number of it, its kind, stain, collection, receipt and condition."""
    kind, state = content.specimen.specimen_type, content.specimen.condition
    snomed = codes.SPECIMENS.get(kind.code) if sends_snomed else None
    coded = (snomed.code, snomed.display, "SCT") if snomed else None
    table = (*SPECIMEN_KINDS[kind.code], "HL70487")
    condition = (*CONDITIONS[state.code], "HL70493") if state.code in CONDITIONS else None
    stated = (state.code, state.display, LOCAL)
    number = f"{content.request.accession_number}-1"
    fields: dict[int, Field] = {
        1: "1",
        2: ("", (number, application)),
        4: (*(coded or table), "", "", "", "", "", kind.display),
        14: [*_descriptions(content)],
        17: (moment(content.specimen.collected_at),),
        18: moment(content.specimen.received_at),
        24: condition or stated,
    }
    return write_segment("SPM", fields)


def frame_of(content: ReportContent, signature: Signature, sender: "Party") -> Frame:
    """Return what all results of the report share."""
    house = content.laboratory
    first, *others = [line.strip() for line in house.address.splitlines() if line.strip()] or [""]
    by_software = not codes.is_manual(content.reading)
    return Frame(
        status=_statuses(content).result,
        collected_at=content.specimen.collected_at,
        analysed_at=signature.signed_at,
        observer=(
            str(signature.signer_id),
            (signature.printed_name,),
            *[""] * 6,
            (sender.facility,),
        ),
        method=METHOD_WITH_SOFTWARE if by_software else METHOD_BY_EYE,
        analyser_method=METHOD_OF_ANALYSER,
        laboratory=_organisation(house),
        address=((first,), ", ".join(others), *[""] * 4, "B") if first else (),
        director=("", (house.director,)) if house.director else (),
        application=sender.application,
    )


def _organisation(house: Letterhead) -> Components:
    """Return the laboratory with its CLIA number, if it has one (XON)."""
    if not house.clia:
        return (house.name, "L")
    return (house.name, "L", "", "", "", ("CLIA",), "XX", "", "", house.clia)


def _statuses(content: ReportContent) -> codes.V2Status:
    return codes.V2_STATUSES[content.status.code]


def _placer(placer: "PlacerOrder | None") -> Field:
    return (placer.number, placer.namespace) if placer else ""


def _by_name(name: str) -> Components:
    """Return a person of whom only the written name is known (XCN)."""
    return ("", (one_line(name),)) if name.strip() else ()


def _if_short(text: str) -> str:
    """Return text in one line for a field of limited length; a longer one goes into a note."""
    line = one_line(text)
    return line if len(line) <= LONGEST_TEXT else ""


def _descriptions(content: ReportContent) -> list[str]:
    stain, note = content.specimen.stain, content.specimen.condition_note
    return [text for text in (f"Smear, {stain.display}", _if_short(note)) if text]


def _long_texts(content: ReportContent) -> list[tuple[str, str]]:
    """Return the texts that their fields can't hold."""
    texts = (
        ("Clinical details", content.request.clinical_details),
        ("Condition of the specimen", content.specimen.condition_note),
    )
    return [(name, text) for name, text in texts if text and not _if_short(text)]
