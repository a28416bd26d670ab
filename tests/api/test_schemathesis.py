"""A machine's requests, made of the description: right ones and wrong ones, many of each.

More of them, and their number: `SCHEMATHESIS_EXAMPLES=50 pytest -s` and this file.
"""

import os
import sys
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.enums import Role
from accounts.models import User
from api.description import SCHEMA_FILE
from api.policies import scopes_of
from api.services.tokens import create_token
from classifier.enums import CaseStatus
from classifier.models import Case, Patient
from classifier.services.cases import OrderDetails, open_case
from classifier.services.images import add_image
from classifier.services.patients import register_patient
from classifier.services.slide_uploads import OfferedFile, start_upload
from consultation.models import Referral
from consultation.services.referrals import Request, refer_case
from tests.clinical import JANE, picture_bytes, recent_specimen
from tests.factories import UserFactory

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "3"))
REVIEWERS = ("/review", "/consultations", "/referrals", "/opinions")
"""Parts of the addresses that are asked by a pathologist's program."""
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@pytest.fixture
def place(live_server: Any, settings: Any) -> dict[str, Any]:
    """A running server with a case, and the tokens of a technician and a pathologist."""
    settings.API_REQUESTS_PER_MINUTE = {"read": 10**9, "write": 10**9}
    settings.API_STREAM_SECONDS, settings.API_WAIT_SECONDS = 0.0, 0
    tess, paul = UserFactory.create(), UserFactory.create(role=Role.PATHOLOGIST)
    patient = register_patient(actor=tess, identity=JANE)
    case = open_case(actor=tess, patient=patient, order=OrderDetails(), specimen=recent_specimen())
    image = add_image(
        case_id=case.pk, actor=tess, data=picture_bytes(1), file_name="a.png", kind="cell"
    )
    slide = start_upload(case_id=case.pk, actor=tess, files=[OfferedFile("a.svs", 9, 0)])
    referral = _referred(tess, paul, patient)
    tokens = {
        owner: create_token(
            actor=owner, name="Fuzz", scopes=scopes_of(owner), life=timedelta(days=1)
        ).text
        for owner in (tess, paul)
    }
    return {
        "url": live_server.url,
        "token": tokens[tess],
        "reviewer": tokens[paul],
        "ids": {
            "cases": case.pk,
            "patients": patient.pk,
            "images": image.pk,
            "cells": image.cells.get().pk,
            "slides": slide.pk,
            "referrals": referral.pk,
            "consultations": referral.pk,
        },
    }


def _referred(tess: User, paul: User, patient: Patient) -> Referral:
    """Return a classified case's referral to the pathologist, by a colleague."""
    case = open_case(actor=tess, patient=patient, order=OrderDetails(), specimen=recent_specimen())
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.AWAITING_REVIEW, submitted_by=tess, submitted_at=timezone.now()
    )
    return refer_case(
        case_id=case.pk,
        actor=UserFactory.create(role=Role.PATHOLOGIST),
        referral_id=uuid.uuid4(),
        wanted=Request(paul.pk, "Are these blasts?"),
    )


@pytest.mark.timeout(300 + 30 * EXAMPLES)
@pytest.mark.django_db(transaction=True)
def test_nothing_that_can_be_sent_breaks_the_api(place: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_path(SCHEMA_FILE)
    answers: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _send(operation, mode, place, answers)
    sys.stdout.write(f"{answers.total()} requests: {dict(sorted(answers.items()))}\n")
    assert answers.total() > 100
    assert all(status < 500 for status in answers)


def _send(
    operation: Any, mode: GenerationMode, place: dict[str, Any], answers: Counter[int]
) -> None:
    """Send requests of one kind to one operation, and hold each answer against the description."""
    cases = operation.as_strategy(generation_mode=mode)

    @bounded(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, is_known=st.booleans())
    def send(case: Any, is_known: bool) -> None:
        resource = operation.path.split("/")[3]
        if is_known and mode is GenerationMode.POSITIVE and resource in place["ids"]:
            if "id" in (case.path_parameters or {}):
                case.path_parameters["id"] = str(place["ids"][resource])
            case.headers = {**(case.headers or {}), "Idempotency-Key": str(uuid.uuid4())}
        is_reviewers = any(part in operation.path for part in REVIEWERS)
        token = place["reviewer" if is_reviewers else "token"]
        response = case.call(base_url=place["url"], headers={"Authorization": f"Bearer {token}"})
        answers[response.status_code] += 1
        checks = [*CHECKS]
        if mode is GenerationMode.NEGATIVE:
            checks.append(negative_data_rejection)
        case.validate_response(response, checks=checks)

    send()
