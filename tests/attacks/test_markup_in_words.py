"""Markup in whatever people type or send is shown as text, on every page that shows it."""

import uuid
from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from accounts.models import User
from classifier.enums import CaseStatus
from classifier.models import Case, ModelVersion
from classifier.services import reviews
from classifier.services.cases import OrderDetails, open_case
from classifier.services.images import add_image
from classifier.services.patients import Identity, register_patient
from consultation.services.discussion import Remark, comment
from tests.clinical import picture_bytes, recent_specimen
from tests.reviewing import comment_on, read_image

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'
VECTOR = "'--><svg onload=alert(3)>"
RAW = ("<script>alert", "<img src=x", "<svg onload")
PAGES = (
    "/", "/patients/", "/reports/", "/notices/", "/mentions/", "/quality/workload/",
    "/patients/{patient}/", "/cases/{case}/", "/cases/{case}/label/", "/cases/{case}/images/",
    "/cases/{case}/review/", "/cases/{case}/review/summary/", "/cases/{case}/discussion/",
    "/cases/{case}/critical/", "/cells/{cell}/why/", "/reports/cases/{case}/sign-off/",
)  # fmt: skip


@pytest.fixture
def hostile(technician: User, pathologist: User, active_model: ModelVersion) -> Case:
    """A case in review with markup in every text that can be typed or sent."""
    User.objects.filter(pk=technician.pk).update(full_name=f"Tess {SCRIPT}")
    identity = Identity(
        f"M{VECTOR}", "HVLAB", f"Doe{SCRIPT}", f"Jane{IMAGE}", date(1980, 1, 1), "female"
    )
    case = open_case(
        actor=technician,
        patient=register_patient(actor=technician, identity=identity),
        order=OrderDetails(ordering_clinician=f"Dr {IMAGE}", clinical_details=f"Fever {SCRIPT}"),
        specimen=recent_specimen(),
    )
    for number, name in enumerate((SCRIPT, IMAGE, VECTOR)):
        image = add_image(
            case_id=case.pk, actor=technician, data=picture_bytes(number), kind="cell",
            file_name=f"{name}.png",
        )  # fmt: skip
        read_image(image, active_model, "neutrophil")
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.AWAITING_REVIEW, submitted_by=technician, status_reason=VECTOR
    )
    review = reviews.open_review(case_id=case.pk, actor=pathologist)
    comment_on(case, pathologist, f"Seen {SCRIPT}{IMAGE}")
    remark = Remark(f"Look {SCRIPT} {IMAGE}", cell_id=image.cells.get().pk)
    comment(case=review.case, actor=technician, comment_id=uuid.uuid4(), remark=remark)
    return Case.objects.get(pk=case.pk)


@pytest.mark.parametrize("person", ["technician", "pathologist", "administrator"])
def test_no_page_lets_markup_through(
    person: str,
    hostile: Case,
    request: pytest.FixtureRequest,
    client_for: Callable[[User], Client],
) -> None:
    client = client_for(request.getfixturevalue(person))
    cell = hostile.images.first().cells.get()  # type: ignore[union-attr]
    served = 0
    for page in PAGES:
        address = page.format(patient=hostile.patient_id, case=hostile.pk, cell=cell.pk)
        answer = client.get(address)
        served += answer.status_code == 200
        text = answer.content.decode()
        assert not [raw for raw in RAW if raw in text], address
    assert served >= 10, "the pages are no longer where this test looks for them"
    found = client.post("/search/", {"q": f"Doe{SCRIPT}"}).content.decode()
    assert not [raw for raw in RAW if raw in found]


def test_scripts_of_others_would_not_run_anyway(
    hostile: Case, pathologist: User, client_for: Callable[[User], Client]
) -> None:
    policy = client_for(pathologist).get(f"/cases/{hostile.pk}/review/")["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";") if " " in rule.strip())
    assert rules["script-src"] == "'self'"
    assert "unsafe" not in policy
    assert rules["frame-ancestors"] == "'none'"
    assert rules["form-action"] == "'self'"
