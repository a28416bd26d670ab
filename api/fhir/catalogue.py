"""Which types are read and searched, by which parameters; the CapabilityStatement says the same.

A parameter is a condition on the rows of reports, or one on the resource that is made of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Q

from api.fhir.parameters import (
    Token,
    dated,
    read_reference,
    read_token,
    read_uuid,
)
from classifier.models import Patient
from reports.fhir.source import system_of
from reports.fhir.values import Resource

Condition = Callable[[str], Q]
Test = Callable[[Resource, str], bool]
NOTHING = Q(pk__in=[])


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter: its kind in FHIR, and how rows or resources are held against it."""

    kind: str
    rows: Condition | None = None
    resource: Test | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of resource made of reports: whose rows an id names, parameters, and what it leads to.

    ``includes`` maps a parameter of `_include` to the element that holds the references.
    """

    by_id: Condition
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    includes: Mapping[str, str] = field(default_factory=dict)
    current_only: bool = True


def _uuid_column(column: str) -> Condition:
    def condition(text: str) -> Q:
        found = read_uuid(text)
        return NOTHING if found is None else Q(**{column: found})

    return condition


def _reference(kind: str, column: str) -> Parameter:
    by_id = _uuid_column(column)
    return Parameter(
        "reference", rows=lambda text: by_id(read_reference(text, kind, settings.SITE_URL))
    )


def _of_patient(text: str) -> Q:
    """A record that was merged leads to the reports of the one that stands for it."""
    found = read_uuid(read_reference(text, "Patient", settings.SITE_URL))
    if found is None:
        return NOTHING
    merged = Patient.objects.filter(pk=found, merged_into__isnull=False).values("merged_into")
    return Q(case__patient_id=found) | Q(case__patient_id__in=merged)


def _date(column: str) -> Parameter:
    return Parameter("date", rows=lambda text: dated(column, text))


def _accession(text: str) -> Q:
    token = read_token(text)
    ours = system_of(settings.SITE_URL, "accession")
    return Q(case__accession_number=token.code) if token.system in (None, ours) else NOTHING


def _version_of_report(text: str) -> Q:
    """A target may be named with its version."""
    ident = read_reference(text, "DiagnosticReport", settings.SITE_URL)
    case_id, _, version = ident.partition("/_history/")
    condition = by_case(case_id)
    if not version:
        return condition
    is_number = version.isascii() and version.isdecimal() and len(version) < 5
    return condition & Q(version=int(version)) if is_number else NOTHING


def _of_result(text: str) -> Q:
    return by_case(text.partition(".")[0])


def _signer(text: str) -> Q:
    name, _, number = text.partition("-")
    is_number = number.isascii() and number.isdecimal() and len(number) < 10
    return Q(sign_off__signer=int(number)) if name == "person" and is_number else NOTHING


def _code(element: str) -> Parameter:
    return Parameter("token", resource=lambda item, text: _has_code(item, element, text))


def _has_id(resource: Resource, text: str) -> bool:
    return bool(resource.get("id") == text)


def _has_code(resource: Resource, element: str, text: str) -> bool:
    token = read_token(text)
    return any(_matches(found, token) for found in _codes(resource.get(element)))


def _codes(value: Any) -> Iterator[tuple[str | None, str]]:
    """Yield system and code of a code (of the element's one system), a concept, or a list."""
    if isinstance(value, str):
        yield None, value
    elif isinstance(value, list):
        for item in value:
            yield from _codes(item)
    elif isinstance(value, dict):
        for item in value.get("coding", ()):
            yield item["system"], item["code"]


def _matches(found: tuple[str | None, str], token: Token) -> bool:
    system, code = found
    return token.code == code and (None in (system, token.system) or token.system == system)


by_case = _uuid_column("case_id")
_shared: Mapping[str, Parameter] = {
    "_lastUpdated": _date("issued_at"),
    "patient": Parameter("reference", rows=_of_patient),
    "subject": Parameter("reference", rows=_of_patient),
}
_by_number = Parameter("token", rows=_accession)
_id = Parameter("token", rows=by_case)
_taken = _date("case__specimen__collected_at")

KINDS: Mapping[str, Kind] = {
    "DiagnosticReport": Kind(
        by_id=by_case,
        parameters={
            **_shared,
            "_id": _id,
            "identifier": _by_number,
            "accession": _by_number,
            "status": Parameter("token", rows=lambda text: Q(status=read_token(text).code)),
            "code": _code("code"),
            "category": _code("category"),
            "date": _taken,
            "issued": _date("issued_at"),
            "based-on": _reference("ServiceRequest", "case_id"),
            "specimen": _reference("Specimen", "case_id"),
        },
        includes={
            "result": "result",
            "subject": "subject",
            "patient": "subject",
            "specimen": "specimen",
            "based-on": "basedOn",
            "performer": "performer",
            "results-interpreter": "resultsInterpreter",
        },
    ),
    "Observation": Kind(
        by_id=_of_result,
        parameters={
            **_shared,
            "_id": Parameter("token", rows=_of_result, resource=_has_id),
            "status": _code("status"),
            "code": _code("code"),
            "category": _code("category"),
            "date": _taken,
            "based-on": _reference("ServiceRequest", "case_id"),
            "specimen": _reference("Specimen", "case_id"),
            "accession": _by_number,
        },
        includes={
            "subject": "subject",
            "patient": "subject",
            "specimen": "specimen",
            "based-on": "basedOn",
            "performer": "performer",
            "device": "device",
            "has-member": "hasMember",
            "derived-from": "derivedFrom",
        },
    ),
    "ServiceRequest": Kind(
        by_id=by_case,
        parameters={
            **_shared,
            "_id": _id,
            "identifier": _by_number,
            "accession": _by_number,
            "status": _code("status"),
            "code": _code("code"),
            "specimen": _reference("Specimen", "case_id"),
        },
        includes={"subject": "subject", "patient": "subject", "specimen": "specimen"},
    ),
    "Specimen": Kind(
        by_id=by_case,
        parameters={
            **_shared,
            "_id": _id,
            "identifier": _by_number,
            "accession": _by_number,
            "status": _code("status"),
            "collected": _taken,
        },
        includes={"subject": "subject", "patient": "subject"},
    ),
    "Provenance": Kind(
        by_id=_uuid_column("pk"),
        parameters={
            "_lastUpdated": _shared["_lastUpdated"],
            "patient": _shared["patient"],
            "_id": Parameter("token", rows=_uuid_column("pk")),
            "target": Parameter("reference", rows=_version_of_report),
            "recorded": _date("issued_at"),
        },
        current_only=False,
    ),
    "Organization": Kind(by_id=lambda text: Q() if text == "laboratory" else NOTHING),
    "Practitioner": Kind(by_id=_signer),
    "PractitionerRole": Kind(by_id=_signer),
}
SEARCHED = ("DiagnosticReport", "Observation", "ServiceRequest", "Specimen", "Provenance")
CONTROL = {"_count", "_format", "_pretty", "_cursor", "_include"}
"""What steers a search rather than narrows it."""
