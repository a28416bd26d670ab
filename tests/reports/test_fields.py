"""Reports of cases with whole fields, and the growth of the report's form."""

import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.models import User
from classifier.models import Case, Laboratory
from classifier.services import boxes, reviews
from reports.canonical import ContentError, encode
from reports.content import ReportContent
from reports.drafting import draft_report
from reports.pictures import load_printed
from reports.tabular import render_csv
from tests.fields import ReadCase, field_pixels, whites_of


@pytest.fixture
def case(read_case: ReadCase, pathologist: User) -> Case:
    """A case of two fields, open with its pathologist; the laboratory has a platelet factor."""
    Laboratory.current()
    Laboratory.objects.update(platelet_factor=Decimal(15))
    case = read_case([field_pixels(1), field_pixels(2)])
    reviews.open_review(case_id=case.pk, actor=pathologist)
    return case


def test_tells_what_the_fields_held(case: Case) -> None:
    content = draft_report(case)
    assert content.fields is not None
    assert (content.fields.fields, content.fields.cut_by_edge) == (2, 2)
    assert content.fields.erythrocytes_per_field == Decimal("2.0")
    assert (content.fields.platelets, content.fields.factor) == (Decimal(15), Decimal(15))
    assert [item.name for item in content.fields.detectors] == ["fake-detector"]
    assert "fake-detector 0.0.0 found the cells of 2 fields." in content.method
    assert "an estimate of platelets does not replace a count" in content.limits[-1]
    assert "platelets_estimated,platelet,15,10*9/L" in render_csv(content).decode()


def test_survives_being_stored(case: Case) -> None:
    content = draft_report(case)
    assert ReportContent.from_json(content.to_json()) == content


def test_prints_the_cell_where_the_reviewer_drew_it(case: Case, pathologist: User) -> None:
    cell = whites_of(case)[0]
    boxes.reshape_cell(
        case_id=case.pk,
        actor=pathologist,
        cell_id=cell.pk,
        box=(110, 90, 150, 130),
        action_id=uuid.uuid4(),
    )
    content = draft_report(case, cell_ids=[cell.pk])
    [picture] = content.pictures
    assert (picture.x0, picture.y0, picture.x1, picture.y1) == (104, 84, 156, 136)
    assert load_printed(content.pictures)[picture.cell_id].startswith(b"\xff\xd8")


def test_what_was_written_before_fields_stays_as_it_was(case: Case) -> None:
    """A report without fields has no word of them, so its hash is that of the older form."""
    older = replace(draft_report(case), fields=None)
    stored = older.to_json()
    assert "fields" not in stored
    assert encode(ReportContent.from_json(stored)) == stored
    with pytest.raises(ContentError):
        ReportContent.from_json({**stored, "fields": None})
