"""Every address of the site says nothing of a restricted record to those outside its care."""

import logging
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from accounts.enums import Role
from classifier.models import Case, ModelVersion, Slide
from classifier.services.restrictions import restrict_patient
from tests.access.site import Site, make_site
from tests.access.visits import visit_all
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
# The trail stays whole for those who read it: it holds no names, but the words of comments.
TRAIL = {"accounts:audit", "accounts:audit_export"}


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
def test_no_answer_names_a_restricted_patient(site: Site) -> None:
    """One walk of the site as three people of the laboratory who have nothing to do with her."""
    visits = list(visit_all(site, OUTSIDERS))
    assert [one for one in visits if one.sign == "!"] == []
    named = {(one.name, one.who) for one in visits if IDENTITY.search(one.text)}
    assert {pair for pair in named if pair[0] not in PROTECTING | TRAIL} == set()
