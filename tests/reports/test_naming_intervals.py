"""The interval that carries the classifier's confusion, in every form of the report."""

import csv
import io
from dataclasses import replace
from decimal import Decimal

from classifier.models import Case, ModelVersion
from ml.classes import CELL_CLASSES
from reports import pdf
from reports.content import ReportContent
from reports.drafting import draft_report
from reports.tabular import render_csv
from tests.reports.contents import ROWS, make_content
from tests.reports.test_pdf import pages_of
from tests.reviewing import MakeCase


def with_naming_errors() -> ReportContent:
    row = replace(ROWS[0], naming_low=Decimal("24.0"), naming_high=Decimal("52.1"))
    return make_content(differential=(row, *ROWS[1:]))


def test_a_report_from_before_stays_as_it_was() -> None:
    content = make_content()
    stored = content.to_json()
    assert "naming_low" not in stored["differential"][0]
    assert "unconfirmed" not in stored["reading"]
    assert ReportContent.from_json(stored).content_sha256 == content.content_sha256


def test_survives_being_stored() -> None:
    content = with_naming_errors()
    assert ReportContent.from_json(content.to_json()) == content
    assert content.content_sha256 != make_content().content_sha256


def test_stands_below_the_plain_one_in_the_document() -> None:
    text = " ".join(pages_of(pdf.render_pdf(with_naming_errors(), {})))
    assert "24.0\u201352.1" in text
    assert "n: 95 % interval that also carries the software's confusion" in text
    assert "n: 95 %" not in " ".join(pages_of(pdf.render_pdf(make_content(), {})))


def test_has_columns_of_its_own_in_the_table() -> None:
    lines = csv.DictReader(io.StringIO(render_csv(with_naming_errors()).decode("utf-8-sig")))
    row = next(line for line in lines if line["item"] == "Neutrophil percent")
    assert (row["ci95_low"], row["ci95_high"]) == ("28.5", "48.3")
    assert (row["ci95_naming_low"], row["ci95_naming_high"]) == ("24.0", "52.1")


def test_is_drafted_from_the_record_and_twice_the_same(
    classified_case: MakeCase, active_model: ModelVersion
) -> None:
    case = classified_case(["neutrophil"] * 4 + ["immature_granulocyte"], in_review=True)
    before = draft_report(case)
    assert before.reading.unconfirmed == 0
    assert all(row.naming_low is None for row in before.differential)
    size = len(CELL_CLASSES)
    confused = [[60 if row == column else 8 for column in range(size)] for row in range(size)]
    ModelVersion.objects.update(confusion_of_accepted=confused)
    draft = draft_report(Case.objects.get(pk=case.pk))
    assert draft.reading.unconfirmed == 5
    assert any(row.naming_low is not None for row in draft.differential)
    assert any("naming 5 cells that the pathologist did not name" in each for each in draft.limits)
    assert draft.draft_sha256 == draft_report(Case.objects.get(pk=case.pk)).draft_sha256
