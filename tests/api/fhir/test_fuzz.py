"""Anything that FHIR lets a program ask about signed reports is answered in valid resources.

More of it: `FHIR_EXAMPLES=500 pytest -s` and this file, which writes how many requests there were.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote, urlencode, urlsplit

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.fhir.catalogue import KINDS, SEARCHED
from reports.fhir.rules import find_problems
from reports.models import Report
from tests.api.test_fhir_fuzz import QUERIES

EXAMPLES = int(os.environ.get("FHIR_EXAMPLES", "40"))
MOST_PAGES = 60
FORM = "application/x-www-form-urlencoded"
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
KNOWN = sorted({*KINDS, "Patient", "Device", "Media"})
SUFFIXES = st.one_of(
    st.sampled_from(["", ".neutrophil-pct", ".wbc", ".signature", ".", "..", "%00", "/"]),
    st.text(max_size=8),
)
VERSIONS = st.one_of(st.integers(-2, 3).map(str), st.sampled_from(["01", "1.0", "9" * 30, "x"]))
RESTS = st.one_of(st.sampled_from(["", "/_history"]), VERSIONS.map("/_history/{}".format))
FORMS = st.sampled_from(
    ["application/fhir+json", "application/json", "application/fhir+json; fhirVersion=4.0", "*/*",
     "application/fhir+xml", "text/html", "image/*;q=0.1", "application/fhir+json;q=0", ";", ""]
)  # fmt: skip
HEADERS = st.fixed_dictionaries(
    {"Accept": st.one_of(FORMS, st.text(st.characters(codec="latin-1", categories=["L", "P"])))},
    optional={
        "If-None-Match": st.sampled_from(['W/"1"', "*", '"', "W/1"]),
        "If-Modified-Since": st.sampled_from(["Sat, 01 Jan 2000 00:00:00 GMT", "now"]),
        "Prefer": st.sampled_from(["handling=strict", "handling=lenient", "handling"]),
    },
)
INCLUDES = st.sampled_from(
    ["DiagnosticReport:result", "DiagnosticReport:subject", "DiagnosticReport:subject:Patient",
     "Observation:specimen", "DiagnosticReport:result:Patient", "*", "DiagnosticReport:*", ":", ""]
)  # fmt: skip


@pytest.fixture(scope="module")
def asked() -> Iterator[Counter[int]]:
    """How many requests were answered with which status, written at the end."""
    answers: Counter[int] = Counter()
    yield answers
    sys.stdout.write(f"{answers.total()} requests: {dict(sorted(answers.items()))}\n")


def hold(response: object, asked: Counter[int]) -> dict[str, object] | None:
    """Hold an answer against the rules of FHIR; return the resource, if there is one."""
    status, body = response.status_code, response.content  # type: ignore[attr-defined]
    asked[status] += 1
    assert status < 500, body
    if not body or status == 304:
        return None
    found: dict[str, object] = response.json()  # type: ignore[attr-defined]
    assert find_problems(found) == []
    assert (found["resourceType"] == "OperationOutcome") == (status >= 400)
    return found


@FUZZ
@given(
    kind=st.sampled_from(KNOWN), place=st.integers(0, 2), of_patient=st.booleans(),
    suffix=SUFFIXES, rest=RESTS, headers=HEADERS,
)  # fmt: skip
def test_any_read_of_what_is_there_or_nearly(
    reports: list[Report], fhir: Client, asked: Counter[int], kind: str, place: int,
    of_patient: bool, suffix: str, rest: str, headers: dict[str, str],
) -> None:  # fmt: skip
    case = reports[place].case
    ident = quote(f"{case.patient_id if of_patient else case.pk}{suffix}", safe="")
    hold(fhir.get(f"/fhir/{kind}/{ident}{rest}", headers=headers), asked)


@FUZZ
@given(
    kind=st.sampled_from(sorted(SEARCHED)), include=st.lists(INCLUDES, max_size=2),
    count=st.integers(-1, 12), query=QUERIES, headers=HEADERS,
)  # fmt: skip
def test_any_search_with_includes(
    reports: list[Report], fhir: Client, asked: Counter[int], kind: str, include: list[str],
    count: int, query: list[tuple[str, str]], headers: dict[str, str],
) -> None:  # fmt: skip
    parameters = [("_count", str(count)), *(("_include", each) for each in include), *query[:1]]
    hold(fhir.get(f"/fhir/{kind}", parameters, headers=headers), asked)
    form = urlencode(parameters)
    hold(fhir.post(f"/fhir/{kind}/_search", form, FORM, headers=headers), asked)


@settings(FUZZ, max_examples=max(EXAMPLES // 5, 8))
@given(kind=st.sampled_from(sorted(SEARCHED)), count=st.integers(3, 20), bad=st.text(max_size=12))
def test_pages_of_any_size_come_to_an_end_and_bend_to_no_cursor(
    reports: list[Report], fhir: Client, asked: Counter[int], kind: str, count: int, bad: str
) -> None:
    address, seen = f"/fhir/{kind}?_count={count}", []
    for _ in range(MOST_PAGES):
        page = hold(fhir.get(address), asked)
        assert page is not None
        entries = page.get("entry", [])
        seen += [each["fullUrl"] for each in entries]  # type: ignore[attr-defined]
        links = {each["relation"]: each["url"] for each in page["link"]}  # type: ignore[attr-defined]
        if "next" not in links:
            break
        parts = urlsplit(links["next"])
        address = f"{parts.path}?{parts.query}"
    assert "next" not in links
    assert len(seen) == len(set(seen))
    hold(fhir.get(f"/fhir/{kind}?_count={count}&_cursor={quote(bad)}"), asked)
