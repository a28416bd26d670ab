"""Every address of the site says nothing of a restricted record to those outside its care."""

import logging
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from accounts.enums import Role
from accounts.models import User
from classifier.models import Case, ModelVersion, Slide
from classifier.services.restrictions import restrict_patient
from tests.access.site import Site, browser, make_site, program
from tests.access.visits import Visit, visit_all
from tests.clinical import MakeImage
from tests.factories import UserFactory

OUTSIDERS = ("technician", "pathologist", "administrator")
IDENTITY = re.compile("MRN00123|Jane|Not for her")
# Where those who protect records read whose record it is, which is recorded.
PROTECTING = {
    "classifier:restriction",
    "classifier:restriction_name",
    "classifier:restriction_lift",
    "classifier:patient_readings",
    "classifier:patient_readings_export",
}


@pytest.fixture
def site(
    settings: Any, case: Case, slide: Slide, active_model: ModelVersion, add_picture: MakeImage
) -> Iterator[Site]:
    """The site of the table, its patient restricted, and people who never met her."""
    settings.API_STREAM_SECONDS = 0.0
    add_picture(case)
    logging.disable(logging.CRITICAL)
    full = make_site(case, slide, active_model)
    restriction = restrict_patient(
        actor=full.people["administrator"],
        patient_id=case.patient_id,
        restriction_id=uuid.uuid4(),
        kind="public",
        reason="Known to all.",
    )
    strangers = {
        name: UserFactory.create(role=Role(name), full_name=f"Other {name}") for name in OUTSIDERS
    }
    things = {**full.things, "restricted/": restriction.pk}
    yield replace(full, people=strangers, things=things)
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("empty_cache")
def test_no_answer_names_a_restricted_patient_or_shows_a_picture(site: Site) -> None:
    """One walk of the site as three people of the laboratory who have nothing to do with her."""
    visits = list(visit_all(site, OUTSIDERS))
    assert [one for one in visits if one.sign == "!"] == []
    named = {(one.name, one.who) for one in visits if IDENTITY.search(one.text)}
    assert {pair for pair in named if pair[0] not in PROTECTING} == set()
    assert {who for name, who in named if name in PROTECTING} <= {"administrator"}
    assert [one.name for one in visits if _is_of_her(site, one) and one.status == 200] == []
    _search(browser(site.people["technician"]))
    _ask_as_program(site.people["pathologist"], site)


def _is_of_her(site: Site, visit: Visit) -> bool:
    """Whether an address names her, a case, a picture or a report of hers, but for its door."""
    names = ("patients/", "cases/", "images/", "cells/", "slides/", "reports/", "explanations/")
    ids = [str(site.things[name]) for name in names]
    doors = {
        "classifier:patient_restricted",
        "classifier:case_restricted",
        "classifier:break_glass",
    }
    known = visit.name in doors | PROTECTING or visit.name.startswith("verification:")
    return not known and any(one in visit.address for one in ids)


def _search(desk: Client) -> None:
    for text in ("Doe", "Jane", "MRN00123"):
        for address in ("/search/", "/patients/"):
            page = desk.post(address, {"q": text}).content.decode().replace(f"“{text}”", "")
            shown = page.replace(f'value="{text}"', "")
            assert not IDENTITY.search(shown), (address, text)


def _ask_as_program(owner: User, site: Site) -> None:
    client = program(owner)
    found = client.post(
        "/api/v1/patients/find", {"mrn": "MRN00123"}, content_type="application/json"
    )
    assert "Jane" not in found.content.decode()
    for address in (
        "/fhir/Patient?identifier=MRN00123",
        "/fhir/Patient?family=Doe",
        "/fhir/DiagnosticReport?_include=DiagnosticReport:subject",
        "/api/v1/cases",
        "/api/v1/reports",
    ):
        text = client.get(address).content.decode()
        assert "Jane" not in text
        assert str(site.things["patients/"]) not in text
