"""FHIR searches of any kind are answered or refused, never failed."""

from collections.abc import Sequence
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from api.enums import Scope
from api.fhir.catalogue import KINDS, SEARCHED
from api.fhir.registers import DEVICE_KINDS, PATIENT_KINDS
from reports.fhir.rules import find_problems
from tests.api.conftest import Program

NAMES = sorted(
    {name for kind in SEARCHED for name in KINDS[kind].parameters}
    | PATIENT_KINDS.keys()
    | DEVICE_KINDS.keys()
    | {"_count", "_cursor", "_include", "_format", "_pretty", "_sort", "date:missing"}
)
DATES = st.builds(
    "{}{:04}-{:02}-{:02}{}".format,
    st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "xx"]),
    st.integers(0, 9999),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from(["", "T10:00Z", "T23:59:60Z", "T10:00:00.1+14:00", "T10:00:00-23:59", "T1"]),
)
TOKENS = st.builds("{}|{}".format, st.text(max_size=12), st.text(max_size=12))
IDS = st.uuids().map(str)
VALUES = st.one_of(
    st.text(max_size=40),
    DATES,
    TOKENS,
    IDS,
    st.builds("Patient/{}".format, IDS),
    st.builds("{}.neutrophil-pct".format, IDS),
    st.sampled_from(
        ["DiagnosticReport:result", "W10", "-1", "1e9", "9" * 30, "\\,", ",", "|", "%"]
    ),
)
QUERIES = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4)
ADDRESSES = st.sampled_from([*SEARCHED, "Patient", "Device"])
FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@pytest.fixture
def fhir(technician: User, program: Program) -> Client:
    return program(technician, Scope.FHIR_READ)


def answer(client: Client, address: str, query: Sequence[tuple[str, str]] = ()) -> None:
    response = client.get(address, query)
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert response.json()["resourceType"] == "OperationOutcome"
        assert find_problems(response.json()) == []
    elif response.status_code == 200:
        assert find_problems(response.json()) == []


@FUZZ
@given(kind=ADDRESSES, query=QUERIES)
def test_any_search_is_answered_or_refused(
    fhir: Client, kind: str, query: list[tuple[str, str]]
) -> None:
    answer(fhir, f"/fhir/{kind}", query)


@FUZZ
@given(
    kind=st.sampled_from([*KINDS, "Patient", "Device", "Media", "Binary", "Basic"]),
    ident=st.one_of(st.text(min_size=1, max_size=70), IDS, st.just("person-99999999999")),
    rest=st.sampled_from(["", "/_history", "/_history/1", "/_history/x"]),
)
def test_any_address_is_answered_or_refused(fhir: Client, kind: str, ident: str, rest: str) -> None:
    answer(fhir, f"/fhir/{kind}/{quote(ident, safe='')}{rest}")
