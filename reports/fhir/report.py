"""The report itself: DiagnosticReport with its document, key cells, and who signed it."""

import base64
import hashlib
from html import escape
from typing import Any

from reports.codes import panel_code
from reports.content import CellPicture, ReportContent
from reports.fhir.devices import device_reference, software_of
from reports.fhir.requests import accession
from reports.fhir.results import top_results
from reports.fhir.source import SignedReport
from reports.fhir.values import (
    TERMINOLOGY,
    Resource,
    coding,
    concept,
    date_time,
    instant,
    loinc,
    reference,
    without_gaps,
)
from reports.formats import count_of, moment

SIGNATURE_SYSTEM = "urn:iso-astm:E1762-95:2013"
AUTHOR = ("1.2.840.10065.1.12.1.1", "Author's Signature")
MEANINGS = {
    "approval": ("1.2.840.10065.1.12.1.5", "Verification Signature"),
    "review": ("1.2.840.10065.1.12.1.13", "Review Signature"),
}
PDF = "application/pdf"


def make_report(signed: SignedReport, results: list[Resource]) -> Resource:
    """Return the report over its results; with the PDF's bytes if they are there, else its link."""
    content = signed.content
    top = top_results(results)
    return without_gaps(
        signed.start("DiagnosticReport", signed.case_id)
        | {
            "text": narrative(content),
            "identifier": [accession(signed)],
            "basedOn": [signed.order],
            "status": signed.status,
            "category": [concept(coding(f"{TERMINOLOGY}/v2-0074", "HM", "Hematology"))],
            "code": loinc(panel_code(content.reading), text="Blood smear report"),
            "subject": signed.subject,
            "effectiveDateTime": date_time(content.specimen.collected_at),
            "issued": instant(signed.issued_at),
            "performer": [signed.laboratory],
            "resultsInterpreter": [signed.signer] if signed.signer else [],
            "specimen": [signed.specimen],
            "result": [reference("Observation", item["id"], item["code"]["text"]) for item in top],
            "media": [_media_link(picture) for picture in content.pictures],
            "conclusion": content.interpretation,
            "presentedForm": [_document(signed)],
        }
    )


def _document(signed: SignedReport) -> dict[str, Any]:
    form = {
        "contentType": PDF,
        "language": "en",
        "url": f"{signed.base}/fhir/Binary/{signed.report_id}",
        "title": signed.content.title,
        "creation": date_time(signed.issued_at),
    }
    if not signed.pdf:
        return form
    del form["url"]
    return form | _bytes(signed.pdf)


def _bytes(data: bytes) -> dict[str, Any]:
    """Return data with size and hash; R4 has the hash of an attachment as SHA-1."""
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    return {
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(digest).decode(),
    }


def _media_link(picture: CellPicture) -> dict[str, Any]:
    return {
        "comment": _caption(picture),
        "link": reference("Media", picture.cell_id),
    }


def _caption(picture: CellPicture) -> str:
    by = "named by a human" if picture.is_named_by_human else "named by software, verified"
    return f"{picture.cell_type.display}, {by}"


def make_media(signed: SignedReport) -> list[Resource]:
    """Return the key cells whose pictures are there."""
    return [
        _media(signed, item) for item in signed.content.pictures if item.cell_id in signed.images
    ]


def _media(signed: SignedReport, picture: CellPicture) -> Resource:
    withdrawn = signed.status == "entered-in-error"
    form = {"contentType": "image/jpeg", "title": _caption(picture)}
    return without_gaps(
        signed.start("Media", picture.cell_id)
        | {
            "identifier": [{"system": signed.system("cell"), "value": picture.cell_id}],
            "basedOn": [signed.order],
            "status": "entered-in-error" if withdrawn else "completed",
            "type": concept(coding(f"{TERMINOLOGY}/media-type", "image", "Image")),
            "subject": signed.subject,
            "createdDateTime": date_time(signed.content.specimen.collected_at),
            "operator": signed.signer,
            "reasonCode": [concept(text=picture.cell_type.display)],
            "content": form | _bytes(signed.images[picture.cell_id]),
        }
    )


def make_provenance(signed: SignedReport) -> Resource | None:
    """Return who made this version, when, with which software, signed as what."""
    signature, signer = signed.content.signature, signed.signer
    if signature is None or signer is None:
        return None
    amendment = signed.content.amendment
    return without_gaps(
        signed.start("Provenance", signed.report_id)
        | {
            "target": [version_reference(signed, signed.content.version)],
            "occurredDateTime": instant(signature.signed_at),
            "recorded": instant(signature.signed_at),
            "reason": [concept(text=amendment.reason)] if amendment else [],
            "activity": concept(coding(f"{TERMINOLOGY}/v3-DataOperation", *_activity(signed))),
            "agent": _agents(signed, signer),
            "entity": _entities(signed),
            "signature": [
                {
                    "type": _signature_types(signature.meaning.code),
                    "when": instant(signature.signed_at),
                    "who": signer,
                    "targetFormat": PDF,
                }
            ],
        }
    )


def _signature_types(meaning: str) -> list[dict[str, Any]]:
    kinds = [AUTHOR, *([MEANINGS[meaning]] if meaning in MEANINGS else [])]
    return [coding(SIGNATURE_SYSTEM, *kind) for kind in kinds]


def _agents(signed: SignedReport, signer: dict[str, Any]) -> list[dict[str, Any]]:
    system = f"{TERMINOLOGY}/provenance-participant-type"
    author = {
        "type": concept(coding(system, "author", "Author")),
        "who": signer,
        "onBehalfOf": signed.laboratory,
    }
    helpers = [
        {"type": concept(coding(system, "assembler", "Assembler")), "who": device_reference(item)}
        for item, _ in software_of(signed.content)
    ]
    return [author, *_confirmers(signed, system), *helpers]


def _confirmers(signed: SignedReport, system: str) -> list[dict[str, Any]]:
    """Name who confirmed a withdrawal, as it takes two people."""
    if (withdrawal := signed.content.withdrawal) is None:
        return []
    verifier = concept(coding(system, "verifier", "Verifier"))
    return [{"type": verifier, "who": {"display": withdrawal.confirmed_by}}]


def _entities(signed: SignedReport) -> list[dict[str, Any]]:
    """Name what the signature is bound to by SHA-256, and the version that this one revises."""
    bound = (("content", signed.content.content_sha256), ("PDF", signed.pdf_sha256))
    system = signed.system("sha256")
    found: list[dict[str, Any]] = [
        {
            "role": "source",
            "what": {
                "identifier": {"system": system, "value": digest},
                "display": f"SHA-256 of the signed {name}",
            },
        }
        for name, digest in bound
    ]
    revised = (
        {"role": "revision", "what": version_reference(signed, number)}
        for number in superseded(signed.content)
    )
    return [*found, *revised]


def version_reference(signed: SignedReport, number: int) -> dict[str, Any]:
    """Return the reference to one version of the report."""
    return reference("DiagnosticReport", f"{signed.case_id}/_history/{number}")


def superseded(content: ReportContent) -> list[int]:
    """Return the version that this one takes the place of, if there is one."""
    if content.amendment:
        return [content.amendment.supersedes_version]
    return [content.replaces.version] if content.replaces else []


def _activity(signed: SignedReport) -> tuple[str, str]:
    if signed.content.is_withdrawn:
        return "NULLIFY", "nullify"
    if signed.content.is_cancelled:
        return "CANCEL", "cancel"
    return ("UPDATE", "revise") if superseded(signed.content) else ("CREATE", "create")


def narrative(content: ReportContent) -> dict[str, str]:
    """Return the report in words and a table, for a reader without a form of their own."""
    rows = "".join(
        f"<tr><td>{escape(row.cell_type.display)}</td><td>{escape(count_of(row))}</td></tr>"
        for row in content.differential
    )
    table = f"<table><tbody>{rows}</tbody></table>" if rows else ""
    words = "".join(
        f"<p>{escape(line)}</p>" for line in content.interpretation.splitlines() if line
    )
    head = f"{content.title}, {content.status.display.lower()}"
    taken = f"Collected {moment(content.specimen.collected_at)}"
    div = (
        '<div xmlns="http://www.w3.org/1999/xhtml">'
        f"<p>{escape(head)}. {escape(taken)}.</p>{table}{words}</div>"
    )
    return {"status": "generated", "div": div}
