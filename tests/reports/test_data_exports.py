"""The report as CSV, XLSX and JSON: all say what was signed, each in its own way."""

import csv
import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from reports import content as c
from reports.schema import content_schema, render_json
from reports.spreadsheet import LONGEST_TEXT
from reports.tabular import render_csv
from reports.xlsx import render_xlsx
from tests.reports.contents import RECEIVED, make_content, make_pictures, make_signature

SCHEMA = Path(__file__).parents[2] / "reports/schemas/report-content-1.schema.json"
Facts = dict[str, Any]


def signed_correction() -> c.ReportContent:
    """Return a signed second version that says something in every part that a table shows."""
    draft = make_content(
        version=2,
        status=c.Coded("corrected", "Corrected"),
        pictures=make_pictures(2)[0],
        amendment=c.Amendment(
            1,
            "a" * 64,
            RECEIVED,
            "Misread.",
            (c.Change("Blast", "16", "17"), c.Change("Comment", "=1", "")),
        ),
        fields=c.FieldCounts(
            7, Decimal("210.4"), Decimal("13.0"), Decimal(195), Decimal("15.00"), "", 3, 2, ()
        ),
    )
    return draft.signed(make_signature())


def facts_of(content: c.ReportContent) -> Facts:
    """Return the figures and words of a report that every export has to give again."""
    assert content.amendment
    assert content.signature
    assert content.white_count
    assert content.fields
    return {
        "accession": content.request.accession_number,
        "version": content.version,
        "hash": content.content_sha256,
        "patient": (content.patient.family_name, content.patient.given_name, content.patient.mrn),
        "born": content.patient.birth_date,
        "received": content.specimen.received_at,
        "signed": (content.signature.printed_name, content.signature.signed_at),
        "comment": content.interpretation,
        "differential": [
            (
                row.cell_type.code, row.count, row.percent, row.ci_low, row.ci_high, row.absolute,
                row.reference and row.reference.low, row.reference and row.reference.high,
                row.flag and row.flag.code,
            )
            for row in content.differential
        ],
        "leukocytes": content.reading.leukocytes,
        "red": content.nucleated_red_cells.per_100_leukocytes,
        "white": content.white_count.value,
        "platelets": content.fields.platelets,
        "reason": content.amendment.reason,
        "changed": [change.item for change in content.amendment.changes],
        "limits": list(content.limits),
    }  # fmt: skip


def facts_of_csv(data: bytes) -> Facts:
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    said = {(row["section"], row["item"]): row for row in rows}

    def value(section: str, item: str) -> str:
        return said[section, item]["value"]

    def number(text: str) -> Decimal | None:
        return Decimal(text) if text else None

    def result(name: str) -> tuple[Any, ...]:
        count, percent, absolute = (
            said["differential", f"{name} {kind}"] for kind in ("count", "percent", "absolute")
        )
        return (
            count["code"], int(count["value"]), number(percent["value"]),
            number(percent["ci95_low"]), number(percent["ci95_high"]), number(absolute["value"]),
            number(absolute["reference_low"]), number(absolute["reference_high"]),
            absolute["flag"] or None,
        )  # fmt: skip

    names = [item.removesuffix(" count") for _, item in said if item.endswith(" count")]
    return {
        "accession": value("report", "accession_number"),
        "version": int(value("report", "version")),
        "hash": value("report", "content_sha256"),
        "patient": tuple(value("patient", key) for key in ("family_name", "given_name", "mrn")),
        "born": date.fromisoformat(value("patient", "birth_date")),
        "received": datetime.fromisoformat(value("specimen", "received_at")),
        "signed": (
            value("report", "signed_by"),
            datetime.fromisoformat(value("report", "signed_at")),
        ),
        "comment": value("interpretation", "comment"),
        "differential": [result(name) for name in names],
        "leukocytes": int(value("differential", "Leukocytes counted")),
        "red": Decimal(value("other", "Nucleated red cells per 100 leukocytes")),
        "white": Decimal(value("analyser", "Leukocytes (WBC)")),
        "platelets": Decimal(value("fields", "platelets_estimated")),
        "reason": value("report", "reason_for_correction"),
        "changed": [row["item"] for row in rows if row["section"] == "change"],
        "limits": [row["value"] for row in rows if row["section"] == "limits"],
    }


def rows_of(sheet: Worksheet) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(min_row=2, values_only=True))


def number(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def facts_of_xlsx(data: bytes) -> Facts:
    book = openpyxl.load_workbook(io.BytesIO(data))
    report, results = rows_of(book["Report"]), rows_of(book["Other results"])
    said = {(row[0], row[1]): row[2] for row in (*report, *results)}
    *classes, total = rows_of(book["Differential"])
    return {
        "accession": said["report", "accession_number"],
        "version": said["report", "version"],
        "hash": said["report", "content_sha256"],
        "patient": tuple(said["patient", key] for key in ("family_name", "given_name", "mrn")),
        "born": said["patient", "birth_date"].date(),
        "received": said["specimen", "received_at"].replace(tzinfo=UTC),
        "signed": (
            said["report", "signed_by"],
            said["report", "signed_at"].replace(tzinfo=UTC),
        ),
        "comment": said["interpretation", "comment"],
        "differential": [
            (row[1], row[2], *map(number, (*row[3:6], row[8], *row[10:12])), row[14])
            for row in classes
        ],
        "leukocytes": total[2],
        "red": number(said["other", "Nucleated red cells per 100 leukocytes"]),
        "white": number(said["analyser", "Leukocytes (WBC)"]),
        "platelets": number(said["fields", "platelets_estimated"]),
        "reason": said["report", "reason_for_correction"],
        "changed": [row[0] for row in rows_of(book["Changes"])],
        "limits": [row[2] for row in report if row[0] == "limits"],
    }


def test_every_export_says_what_the_content_says() -> None:
    content = signed_correction()
    expected = facts_of(content)

    assert facts_of_csv(render_csv(content)) == expected
    assert facts_of_xlsx(render_xlsx(content)) == expected
    assert facts_of(c.ReportContent.from_json(json.loads(render_json(content)))) == expected


class TestJson:
    def test_the_file_has_the_hash_that_was_signed(self) -> None:
        content = signed_correction()

        assert hashlib.sha256(render_json(content)).hexdigest() == content.content_sha256

    def test_fits_the_schema_that_is_kept(self) -> None:
        schema = json.loads(SCHEMA.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)

        for content in (make_content(), signed_correction()):
            jsonschema.Draft202012Validator(schema).validate(json.loads(render_json(content)))

    def test_the_kept_schema_is_that_of_the_content(self) -> None:
        assert json.loads(SCHEMA.read_text()) == content_schema(), "Run manage.py report_schema."

    @pytest.mark.parametrize(
        "damage",
        [
            {"schema_version": 2},
            {"extra": 1},
            {"limits": "none"},
            {"interpretation": None},
            {"white_count": {"value": 7.2, "measured_at": None, "source": ""}},
        ],
    )
    def test_the_schema_refuses_what_the_content_refuses(self, damage: dict[str, Any]) -> None:
        written = {**make_content().to_json(), **damage}

        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(written, content_schema(), jsonschema.Draft202012Validator)


class TestWorkbook:
    def test_numbers_are_numbers_and_dates_are_dates(self) -> None:
        book = openpyxl.load_workbook(io.BytesIO(render_xlsx(signed_correction())))

        row = book["Differential"][2]
        assert (row[2].value, row[3].number_format, row[8].number_format) == (38, "0.0", "0.00")
        values = {cells[1].value: cells[2] for cells in book["Report"].iter_rows(min_row=2)}
        assert values["birth_date"].data_type == "d"
        assert values["received_at"].number_format == "yyyy-mm-dd hh:mm:ss"

    @pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1", "-1", "{=A1}", "https://a.example"])
    def test_no_text_becomes_a_formula_or_a_link(self, text: str) -> None:
        content = signed_correction()
        patient = replace(content.patient, family_name=text)
        content = replace(content, interpretation=text, patient=patient, limits=(text,))

        book = openpyxl.load_workbook(io.BytesIO(render_xlsx(content)))

        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
        assert not any(cell.hyperlink for cell in cells)
        assert [cell.value for cell in cells].count(text) == 3

    def test_a_comment_longer_than_a_cell_is_kept_whole(self) -> None:
        text = "".join(chr(ord("a") + place % 26) for place in range(2 * LONGEST_TEXT + 5))

        book = openpyxl.load_workbook(io.BytesIO(render_xlsx(make_content(interpretation=text))))

        rows = rows_of(book["Report"])
        start = [row[1] for row in rows].index("comment")
        assert "".join(row[2] for row in rows[start : start + 3]) == text

    def test_headers_stay_in_view_and_sheets_print_on_the_width_of_a_page(self) -> None:
        book = openpyxl.load_workbook(io.BytesIO(render_xlsx(signed_correction())))

        assert book.sheetnames == ["Report", "Differential", "Other results", "Cells", "Changes"]
        for sheet in book:
            assert sheet.freeze_panes == "A2"
            assert sheet.print_title_rows == "$1:$1"
            assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
            assert sheet.sheet_properties.pageSetUpPr
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
            assert all(dimension.width > 5 for dimension in sheet.column_dimensions.values())

    def test_equal_content_gives_equal_bytes(self) -> None:
        assert render_xlsx(signed_correction()) == render_xlsx(signed_correction())

    def test_lists_the_printed_cells(self) -> None:
        content = signed_correction()

        book = openpyxl.load_workbook(io.BytesIO(render_xlsx(content)))

        cells = rows_of(book["Cells"])
        assert [row[0] for row in cells] == [cell.cell_id for cell in content.pictures]
        assert [row[3] for row in cells] == ["human", "software"]
