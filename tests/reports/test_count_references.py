"""What a report says of the intervals of the white count and the platelets."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.models import User
from classifier.models import Case, Laboratory
from classifier.services import reviews
from reports.changes import list_changes
from reports.content import Coded, Reference, ReportContent, WhiteCount
from reports.drafting import draft_report
from reports.formats import limits
from reports.pdf import document_context, reference_notes, render_pdf
from reports.tabular import render_csv
from tests.fields import ReadCase, field_pixels
from tests.reports.contents import UK, make_content

HIGH = Coded("high", "High")
INTERVAL = Reference(
    Coded("absolute", "Absolute count"), "10*9/L", Decimal("4.00"), Decimal("11.00"), 1, UK, False
)


@pytest.fixture
def judged() -> ReportContent:
    """A content whose white count is held against an interval."""
    content = make_content()
    assert content.white_count is not None
    return replace(content, white_count=replace(content.white_count, flag=HIGH, reference=INTERVAL))


def rows_of(content: ReportContent, section: str) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(render_csv(content).decode("utf-8-sig")))
    return [row for row in rows if row["section"] == section]


def test_the_draft_carries_flag_and_interval_of_the_white_count(
    counted_case: Callable[..., Case],
) -> None:
    case = counted_case("12.00", ["neutrophil"] * 6 + ["lymphocyte"] * 4, in_review=True)
    white = draft_report(case, cell_ids=[]).white_count
    assert white is not None
    assert white.flag == HIGH
    assert white.reference is not None
    assert (white.reference.low, white.reference.high) == (Decimal("4.00"), Decimal("11.00"))
    assert not white.reference.is_approved


def test_a_low_estimate_of_platelets_is_flagged(read_case: ReadCase, pathologist: User) -> None:
    Laboratory.current()
    Laboratory.objects.update(platelet_factor=Decimal(90))
    case = read_case([field_pixels(1)])
    reviews.open_review(case_id=case.pk, actor=pathologist)
    draft = draft_report(case, cell_ids=[])
    assert draft.fields is not None
    assert (draft.fields.platelets, draft.fields.platelets_flag) == (
        Decimal(90),
        Coded("low", "Low"),
    )
    assert draft.fields.platelets_reference is not None
    (row,) = [each for each in rows_of(draft, "fields") if each["item"] == "platelets_estimated"]
    assert (row["reference_low"], row["reference_high"], row["flag"]) == ("150.00", "400.00", "low")
    assert ReportContent.from_json(draft.to_json()) == draft


def test_without_an_estimate_there_is_no_interval(read_case: ReadCase, pathologist: User) -> None:
    case = read_case([field_pixels(1)])
    reviews.open_review(case_id=case.pk, actor=pathologist)
    fields = draft_report(case, cell_ids=[]).fields
    assert fields is not None
    assert (fields.platelets, fields.platelets_reference, fields.platelets_flag) == (None,) * 3


def test_what_was_signed_before_keeps_words_and_hash() -> None:
    older = make_content()
    stored = older.to_json()
    white = stored["white_count"]
    assert isinstance(white, dict)
    assert "reference" not in white
    assert ReportContent.from_json(stored).content_sha256 == older.content_sha256


def test_the_table_gives_the_interval_beside_the_count(judged: ReportContent) -> None:
    row = rows_of(judged, "analyser")[0]
    assert (row["reference_low"], row["reference_high"], row["flag"]) == ("4.00", "11.00", "high")
    assert row["reference_status"] == "unconfirmed"


def test_where_the_count_was_corrected_the_corrected_one_is_judged(judged: ReportContent) -> None:
    assert judged.white_count is not None
    corrected = replace(judged, white_count=replace(judged.white_count, corrected=Decimal("11.40")))
    measured, basis = rows_of(corrected, "analyser")[:2]
    assert (measured["flag"], measured["reference_low"]) == ("", "")
    assert (basis["item"], basis["flag"], basis["reference_high"]) == (
        "WBC corrected",
        "high",
        "11.00",
    )


def test_paper_names_interval_and_source(judged: ReportContent) -> None:
    bare = replace(judged, differential=(), pictures=())
    assert reference_notes(bare)[0] == f"Reference intervals: {UK}; version 1."
    assert "u: unconfirmed" in reference_notes(bare)[1]
    assert document_context(bare, {})["content"] == bare
    assert render_pdf(bare, {}).startswith(b"%PDF")


def test_a_correction_says_that_the_count_is_now_judged(judged: ReportContent) -> None:
    assert judged.white_count is not None
    older = replace(judged, white_count=replace(judged.white_count, flag=None, reference=None))
    (change,) = list_changes(older, judged)
    assert change.item == "Leukocytes (WBC)"
    assert ", high, reference 4.0–11.0 (version 1, unconfirmed), " in change.new  # noqa: RUF001
    assert "reference" not in change.old


def test_platelets_need_no_decimals() -> None:
    platelets = replace(INTERVAL, low=Decimal("150.00"), high=Decimal("400.00"))
    assert limits(platelets) == "150–400"  # noqa: RUF001


def test_old_counts_still_read() -> None:
    assert WhiteCount(Decimal("7.2"), None, "Haematology analyser").reference is None
