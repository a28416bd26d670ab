"""All results of a version: the grouped differential, what stands beside it, what is taken back."""

from collections.abc import Iterator
from dataclasses import replace

from reports import codes
from reports.fhir.findings import list_findings
from reports.fhir.observations import make_row, read_by, start_result
from reports.fhir.source import SignedReport
from reports.fhir.values import Resource, loinc, notes, reference

PANEL = "differential"


def make_results(signed: SignedReport) -> list[Resource]:
    """Return the results of this version; what only earlier ones said is entered in error."""
    current = _said(signed)
    return [*current, *_taken_back(signed, {item["id"] for item in current})]


def top_results(results: list[Resource]) -> list[Resource]:
    """Return the results that a report names itself: no members of groups, nothing taken back."""
    members = {item["reference"] for group in results for item in group.get("hasMember", ())}
    kept = _standing(results)
    return [item for item in kept if f"Observation/{item['id']}" not in members]


def _standing(results: list[Resource]) -> list[Resource]:
    """Return the results that this version says: all, if it is itself withdrawn."""
    if results[0]["status"] == "entered-in-error":
        return results
    return [item for item in results if item["status"] != "entered-in-error"]


def _said(signed: SignedReport) -> list[Resource]:
    rows = [result for row in signed.content.differential for result in make_row(signed, row)]
    return [_panel(signed, rows), *rows, *list_findings(signed)]


def _panel(signed: SignedReport, rows: list[Resource]) -> Resource:
    code = codes.panel_code(signed.content.reading)
    members = [reference("Observation", row["id"], row["code"]["text"]) for row in rows]
    return (
        start_result(signed, PANEL, loinc(code, "Differential"))
        | read_by(signed.content)
        | {"note": notes([signed.content.method, *signed.content.limits])}
        | ({"hasMember": members} if members else {})
    )


def _taken_back(signed: SignedReport, current: set[str]) -> Iterator[Resource]:
    for content in reversed(signed.earlier):
        for result in _said(replace(signed, content=content)):
            if result["id"] not in current:
                current.add(result["id"])
                meta = signed.start("Observation", result["id"])["meta"]
                yield result | {"meta": meta, "status": "entered-in-error"}
