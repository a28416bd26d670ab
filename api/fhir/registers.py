"""Searching what is no part of one report: patients, and the releases that read cells."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from django.conf import settings
from django.db.models import Q
from django.http import QueryDict

from api.fhir.catalogue import CONTROL, NOTHING
from api.fhir.outcomes import refuse
from api.fhir.parameters import (
    USUAL_PER_PAGE,
    Cursor,
    alternatives,
    dated,
    read_count,
    read_cursor,
    read_token,
    read_uuid,
)
from api.fhir.reports import make_patient, record_reads, reported_patients
from api.fhir.search import entry, last
from classifier.enums import Sex
from classifier.models import FieldScan, Laboratory, ModelVersion
from reports.content import Software
from reports.fhir.devices import CLASSIFIER, DETECTOR, device_body, device_id
from reports.fhir.source import DEMONSTRATION, system_of
from reports.fhir.values import Resource

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User
    from classifier.models import Patient

IDENTIFYING = ("identifier", "name", "family", "given", "birthdate")
"""They name a person, so they are taken only from a body: addresses are logged on their way."""
PATIENT_KINDS: Mapping[str, str] = {
    "_id": "token",
    "gender": "token",
    "identifier": "token",
    "name": "string",
    "family": "string",
    "given": "string",
    "birthdate": "date",
}
DEVICE_KINDS: Mapping[str, str] = {
    "_id": "token",
    "identifier": "token",
    "device-name": "string",
}


def search_patients(user: "User", parameters: QueryDict, *, in_body: bool) -> Resource:
    """Return a page of patients with signed reports, the latest registered first.

    Searches by what names a person have one page, and don't repeat it in their link.
    """
    names = {name for name in parameters if name not in CONTROL}
    for name in names - PATIENT_KINDS.keys():
        raise refuse(f"Patient can't be searched by {name[:60]!r}.")
    is_identifying = bool(names & set(IDENTIFYING))
    if is_identifying and not in_body:
        raise refuse("Search by what names a person with POST Patient/_search.")
    refuse_includes("Patient", parameters)
    rows = _matching(reported_patients(user), names, parameters)
    count = read_count(last(parameters, "_count") or str(USUAL_PER_PAGE))
    found = list(_from_cursor(rows, parameters)[: count + 1])
    if is_identifying and len(found) > count:
        raise refuse(f"More than {count} patients match; say more of the one that is sought.")
    shown, more = found[:count], found[count:]
    record_reads(user, [patient.pk for patient in shown])
    is_demo = Laboratory.current().is_demo
    return _searchset(
        "Patient",
        [make_patient(patient, is_demo=is_demo) for patient in shown],
        QueryDict() if is_identifying else _without_cursor(parameters),
        Cursor(shown[-1].registered_at, str(shown[-1].pk)) if more else None,
    )


def _matching(
    rows: "QuerySet[Patient]", names: Iterable[str], parameters: QueryDict
) -> "QuerySet[Patient]":
    """Return the rows to which each of the named parameters applies, by any of its alternatives."""
    for name in names:
        for value in parameters.getlist(name):
            either = Q()
            for option in alternatives(value):
                either |= PATIENT_CONDITIONS[name](option)
            rows = rows.filter(either)
    return rows


def _from_cursor(rows: "QuerySet[Patient]", parameters: QueryDict) -> "QuerySet[Patient]":
    """Return the rows that follow those of the page before, the latest registered first."""
    if cursor := last(parameters, "_cursor"):
        at = read_cursor(cursor)
        rows = rows.filter(Q(registered_at__lt=at.at) | Q(registered_at=at.at, pk__lt=at.pk))
    return rows.order_by("-registered_at", "-pk")


def _without_cursor(parameters: QueryDict) -> QueryDict:
    asked = parameters.copy()
    asked.pop("_cursor", None)
    return asked


def search_devices(parameters: QueryDict) -> Resource:
    """Return the releases that match, all on one page: there are few."""
    refuse_includes("Device", parameters)
    found = list(list_devices())
    for name, values in parameters.lists():
        if name in CONTROL:
            continue
        if name not in DEVICE_TESTS:
            raise refuse(f"Device can't be searched by {name[:60]!r}.")
        for value in values:
            options = list(alternatives(value))
            found = [
                item for item in found if any(DEVICE_TESTS[name](item, text) for text in options)
            ]
    read_count(last(parameters, "_count") or str(USUAL_PER_PAGE))
    return _searchset("Device", found, parameters, None)


def list_devices() -> Iterator[Resource]:
    """Yield every release that reads or read cells here."""
    is_demo = Laboratory.current().is_demo
    readers = [Software(m.name, m.version, m.sha256) for m in ModelVersion.objects.order_by("pk")]
    seen = FieldScan.objects.order_by("detector_sha256")
    rows = seen.values_list("detector_name", "detector_version", "detector_sha256").distinct()
    detectors = [Software(*row) for row in rows]
    for software, purpose in [
        *((item, CLASSIFIER) for item in readers),
        *((item, DETECTOR) for item in detectors),
    ]:
        start: Resource = {"resourceType": "Device", "id": device_id(software)}
        if is_demo:
            start["meta"] = {"security": [DEMONSTRATION]}
        yield start | device_body(software, purpose, base=settings.SITE_URL)


def refuse_includes(kind: str, parameters: QueryDict) -> None:
    """Refuse to include what leads nowhere."""
    if "_include" in parameters:
        raise refuse(f"{kind} leads to nothing that can be included.")


def _searchset(
    kind: str, found: list[Resource], asked: QueryDict, after: Cursor | None
) -> Resource:
    base = f"{settings.SITE_URL}/fhir/{kind}"
    query = asked.urlencode()
    links = [{"relation": "self", "url": f"{base}?{query}" if query else base}]
    if after:
        further = "&".join(filter(None, (query, f"_cursor={after.encode()}")))
        links.append({"relation": "next", "url": f"{base}?{further}"})
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return bundle | ({"entry": [entry(item, "match") for item in found]} if found else {})


def _id(text: str) -> Q:
    found = read_uuid(text)
    return NOTHING if found is None else Q(pk=found)


def _number(text: str) -> Q:
    """Match a record number, of one issuer if its system is given."""
    token = read_token(text)
    if token.system is None:
        return Q(mrn=token.code)
    issuer = token.system.removeprefix(system_of(settings.SITE_URL, "mrn/"))
    return Q(mrn=token.code, mrn_issuer=unquote(issuer)) if issuer != token.system else NOTHING


def _born(text: str) -> Q:
    """Match a day of birth, or a span of days."""
    return dated("birth_date", text, is_day=True)


def _gender(text: str) -> Q:
    code = read_token(text).code
    return Q(sex=code) if code in Sex.values else NOTHING


PATIENT_CONDITIONS: Mapping[str, Callable[[str], Q]] = {
    "_id": _id,
    "gender": _gender,
    "identifier": _number,
    "name": lambda text: Q(family_name__istartswith=text) | Q(given_name__istartswith=text),
    "family": lambda text: Q(family_name__istartswith=text),
    "given": lambda text: Q(given_name__istartswith=text),
    "birthdate": _born,
}
DEVICE_TESTS: Mapping[str, Callable[[Resource, str], bool]] = {
    "_id": lambda item, text: item["id"] == text,
    "identifier": lambda item, text: item["id"] == read_token(text).code,
    "device-name": lambda item, text: item["deviceName"][0]["name"].startswith(text.lower()),
}
