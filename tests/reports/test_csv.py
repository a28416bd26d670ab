"""The report as CSV."""

import csv
import io
from dataclasses import replace
from decimal import Decimal

import pytest

from reports.content import Amendment, Change, ReportContent
from reports.tabular import BYTE_ORDER_MARK, render_csv, safe
from tests.reports.contents import RECEIVED, make_content, make_signature


def read(content: ReportContent) -> list[dict[str, str]]:
    text = render_csv(content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def value_of(rows: list[dict[str, str]], section: str, item: str) -> str:
    return next(row["value"] for row in rows if (row["section"], row["item"]) == (section, item))


def test_says_what_the_content_says() -> None:
    content = make_content().signed(make_signature())

    rows = read(content)

    assert value_of(rows, "report", "accession_number") == "HV26-000002W"
    assert value_of(rows, "report", "content_sha256") == content.content_sha256
    assert value_of(rows, "report", "signed_by") == "Leila Haddad, MD"
    assert value_of(rows, "patient", "given_name") == "István"
    assert value_of(rows, "patient", "birth_date") == "1957-06-14"
    assert value_of(rows, "specimen", "received_at") == "2026-11-20T08:10:00Z"
    assert value_of(rows, "interpretation", "comment") == content.interpretation


def test_gives_each_class_with_interval_reference_and_flag() -> None:
    rows = [row for row in read(make_content()) if row["code"] == "neutrophil"]

    count, percent, absolute = rows
    assert (count["value"], count["unit"]) == ("38", "{cells}")
    assert (percent["value"], percent["ci95_low"], percent["ci95_high"]) == ("38.0", "28.5", "48.3")
    assert percent["flag"] == ""
    assert (absolute["value"], absolute["unit"]) == ("10.79", "10*9/L")
    assert (absolute["reference_low"], absolute["reference_high"]) == ("2.00", "7.50")
    assert (absolute["reference_status"], absolute["flag"]) == ("unconfirmed", "high")


def test_an_interval_of_percent_stands_with_the_percent() -> None:
    row = make_content().differential[0]
    assert row.reference is not None
    by_percent = replace(
        row,
        absolute=None,
        reference=replace(row.reference, quantity=replace(row.cell_type, code="percent")),
    )

    count, percent, absolute = (
        line
        for line in read(make_content(differential=(by_percent,)))
        if line["code"] == "neutrophil"
    )

    assert (percent["reference_low"], percent["flag"]) == ("2.00", "high")
    assert (absolute["value"], absolute["reference_low"], absolute["flag"]) == ("", "", "")
    assert count["reference_low"] == ""


def test_lists_what_a_correction_changed() -> None:
    amendment = Amendment(1, "a" * 64, RECEIVED, "Misread.", (Change("Blast", "1", "2"),))

    rows = read(make_content(version=2, amendment=amendment))

    assert value_of(rows, "report", "reason_for_correction") == "Misread."
    assert value_of(rows, "change", "Blast") == "1 → 2"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1+1"],  # noqa: RUF001
)
def test_text_that_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert safe(text) == f"'{text}"
    content = make_content(interpretation=text)

    assert value_of(read(content), "interpretation", "comment") == f"'{text}"


@pytest.mark.parametrize(("value", "text"), [("a=b", "a=b"), (Decimal("4.46"), "4.46"), (None, "")])
def test_other_values_stay_as_they_are(value: object, text: str) -> None:
    assert safe(value) == text


def test_begins_with_one_byte_order_mark_and_ends_lines_as_rfc_4180_says() -> None:
    data = render_csv(make_content())

    assert data.startswith(BYTE_ORDER_MARK.encode())
    assert data.count(b"\r\n") >= 40
