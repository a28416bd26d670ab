"""Graded morphology on the report: content, documents, corrections, old reports."""

import io
import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from accounts.models import User
from classifier.exceptions import GuardFailed
from classifier.models import Case, MorphologyFeature
from classifier.selectors.morphology import list_lines
from classifier.services import morphology, morphology_features, reviews
from classifier.services.cases import OrderDetails, open_case
from classifier.services.morphology import Observation
from reports.canonical import encode
from reports.changes import list_changes
from reports.content import Change, Coded, GradedFeature, MorphologyLine, ReportContent
from reports.drafting import draft_report
from reports.pdf import render_pdf
from reports.tabular import render_csv
from tests.clinical import recent_specimen
from tests.reports.conftest import Sign
from tests.reports.contents import make_content

SCHISTOCYTES = GradedFeature(
    feature=Coded("schistocytes", "Schistocytes"),
    grade=3,
    count=Decimal("1.50"),
    unit="% of red cells",
    is_overruled=True,
    comment="helmets",
    version=2,
    is_approved=False,
)
TARGETS = replace(
    SCHISTOCYTES,
    feature=Coded("target_cells", "Target cells"),
    grade=0,
    count=None,
    is_overruled=False,
    comment="",
    is_approved=True,
)
RED = MorphologyLine(
    Coded("red", "Red cells"), "58408-6", "Schistocytes 3+", (SCHISTOCYTES, TARGETS)
)


@pytest.fixture
def grade(ready_case: Case, pathologist: User) -> Callable[..., None]:
    def say(code: str, grade: int | None, count: str = "") -> None:
        morphology.grade_feature(
            case_id=ready_case.pk,
            actor=pathologist,
            code=code,
            observation=Observation(grade, Decimal(count) if count else None),
            action_id=uuid.uuid4(),
        )

    return say


def test_a_draft_says_what_was_graded(ready_case: Case, grade: Callable[..., None]) -> None:
    grade("target_cells", 2)
    grade("schistocytes", None, "0.5")
    [red] = draft_report(ready_case).morphology
    assert (red.line.code, red.loinc) == ("red", "58408-6")
    assert red.statement == "Schistocytes 1+, Target cells 2+"
    assert [item.grade_name for item in red.found] == ["1+", "2+"]
    assert not red.found[0].is_approved


def test_a_draft_changes_with_a_grade_so_that_a_stale_preview_cannot_be_signed(
    ready_case: Case, grade: Callable[..., None]
) -> None:
    before = draft_report(ready_case)
    grade("target_cells", 2)
    assert draft_report(ready_case).draft_sha256 != before.draft_sha256


def test_without_grades_a_report_keeps_the_form_and_hash_that_it_had(ready_case: Case) -> None:
    content = draft_report(ready_case)
    written = encode(content)
    assert isinstance(written, dict)
    assert "morphology" not in written
    assert "The form of red cells" in content.limits[-1]


def test_survives_being_stored() -> None:
    content = make_content(morphology=(RED,))
    assert ReportContent.from_json(content.to_json()) == content


def test_limits_say_what_was_not_graded(ready_case: Case, grade: Callable[..., None]) -> None:
    grade("target_cells", 2)
    limits = draft_report(ready_case).limits
    assert "Not graded: the form of white cells, the form of platelets" in limits[-1]
    assert any("not approved by this laboratory" in limit for limit in limits)


def test_approved_cut_offs_are_not_called_provisional(
    ready_case: Case, grade: Callable[..., None], pathologist: User
) -> None:
    shipped = MorphologyFeature.objects.get(code="target_cells")
    morphology_features.approve_features(actor=pathologist, feature_ids=[shipped.pk])
    grade("target_cells", 2)
    assert not any("not approved" in limit for limit in draft_report(ready_case).limits)


def test_the_pdf_shows_grades_counts_and_what_is_absent() -> None:
    pages = PdfReader(io.BytesIO(render_pdf(make_content(morphology=(RED,)), {}))).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert "Schistocytes 3+" in text
    assert "1.5 % of red cells; grade overruled" in text
    assert "helmets" in text
    assert "fewer than the first cut-off: Target cells" in text


def test_the_page_shows_them(
    ready_case: Case,
    grade: Callable[..., None],
    sign: Sign,
    pathologist: User,
    client_for: Callable[[User], Client],
) -> None:
    grade("target_cells", 3)
    report = sign(ready_case)
    page = (
        client_for(pathologist)
        .get(reverse("reports:report_detail", args=[report.pk]))
        .content.decode()
    )
    assert "Target cells <strong>3+</strong>" in page


def test_the_csv_has_a_line_for_each_statement() -> None:
    text = render_csv(make_content(morphology=(RED,))).decode()
    assert "morphology,Red cells,58408-6,Schistocytes 3+" in text
    assert "morphology,Schistocytes grade,schistocytes,overruled to 3" in text
    assert "morphology,Schistocytes count,schistocytes,1.50,% of red cells" in text
    assert "morphology,Target cells grade,target_cells,0" in text


def test_a_corrected_report_lists_changed_grades() -> None:
    without, with_grades = make_content(), make_content(morphology=(RED,))
    assert Change(
        "Red cells: Target cells", "not reported", "0 (version 2, approved)"
    ) in list_changes(without, with_grades)
    milder = replace(RED, features=(replace(SCHISTOCYTES, grade=2, is_overruled=False), TARGETS))
    [change] = list_changes(with_grades, make_content(morphology=(milder,)))
    assert change.old.startswith("3+, 1.5 % of red cells (grade overruled), helmets")
    assert change.new.startswith("2+, 1.5 % of red cells, helmets")


def test_an_amendment_that_graded_anew_is_signed_or_set_back(
    ready_case: Case, grade: Callable[..., None], sign: Sign, pathologist: User
) -> None:
    grade("target_cells", 2)
    sign(ready_case)
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason="Looked again.")
    grade("target_cells", 3)
    with pytest.raises(GuardFailed, match="Morphology was graded"):
        reviews.withdraw_amendment(case_id=ready_case.pk, actor=pathologist)
    grade("target_cells", 2)
    reviews.withdraw_amendment(case_id=ready_case.pk, actor=pathologist)


def test_the_grades_of_the_last_signed_case_stand_beside_those_of_the_next(
    ready_case: Case,
    grade: Callable[..., None],
    sign: Sign,
    technician: User,
    pathologist: User,
) -> None:
    grade("target_cells", 2)
    sign(ready_case)
    reviews.amend(case_id=ready_case.pk, actor=pathologist, reason="Looked again.")
    grade("target_cells", 3)
    following = open_case(
        actor=technician,
        patient=ready_case.patient,
        order=OrderDetails(),
        specimen=recent_specimen(),
    )
    rows = {row.code: row for line in list_lines(following) for row in line.rows}
    assert (rows["target_cells"].previous_name, rows["target_cells"].grade) == ("2+", None)
    assert rows["spherocytes"].previous_name == ""
