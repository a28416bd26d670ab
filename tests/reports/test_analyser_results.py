"""What the analyser measured, in the report and in every form in which it leaves."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from classifier.models import Case, CriticalAlert, Laboratory
from classifier.services import reviews
from classifier.services.analyser import Measured, add_results
from reports import content as c
from reports.changes import list_changes
from reports.drafting import draft_report
from reports.fhir.bundles import make_transaction
from reports.listing import NAMES, Listed, row_of
from reports.pdf import render_pdf
from reports.tabular import render_csv
from tests.fields import field_pixels
from tests.reports.contents import RECEIVED, make_content, make_signature
from tests.reports.fhir_sources import faults_of, signed
from tests.reports.messages import make_full, read, results
from tests.reports.test_pdf import pages_of

RANGE = c.Reference(
    c.Coded("absolute", "Absolute count"), "10*9/L", Decimal("150.00"), Decimal("400.00"), 1,
    "UK", is_approved=False,
)  # fmt: skip
PLATELETS = c.AnalyserResult(
    c.Coded("platelets", "Platelets"), Decimal("31.00"), "10*9/L", RECEIVED, "XN-1000 SN123",
    "PLT_CLUMP?", c.Coded("low", "Low"), RANGE,
)  # fmt: skip
RED = c.AnalyserResult(
    c.Coded("nrbc_per_100", "Nucleated red cells per 100 leukocytes"), Decimal("2.50"),
    "/100{WBCs}", RECEIVED, "XN-1000 SN123",
)  # fmt: skip
BROUGHT = (PLATELETS, RED)


def bring(case: Case, **values: str) -> None:
    """Let an analyser send values of a case."""
    moment = timezone.now() - timedelta(minutes=5)
    add_results(
        case_id=case.pk,
        actor=User.system(),
        source="XN-1000 SN123",
        message_id=case.pk,
        results=[
            Measured(n, name, Decimal(value), moment, "final", name, value)
            for n, (name, value) in enumerate(values.items())
        ],
    )


@pytest.fixture
def open_case(counted_case: Callable[..., Case]) -> Case:
    case = counted_case("7.0", ["neutrophil"] * 6 + ["lymphocyte"] * 4, in_review=True)
    Case.objects.update(wbc_measured_at=timezone.now() - timedelta(hours=1))
    return case


def test_the_draft_names_the_analyser_and_judges_its_platelets(open_case: Case) -> None:
    bring(open_case, wbc="6.5", platelets="120", nrbc_per_100="0.4")
    open_case.refresh_from_db()
    draft = draft_report(open_case, cell_ids=[])
    assert draft.white_count is not None
    assert (draft.white_count.value, draft.white_count.source) == (Decimal("6.50"), "XN-1000 SN123")
    platelets, red = draft.analyser_results
    assert (platelets.value, platelets.flag) == (Decimal("120.00"), c.Coded("low", "Low"))
    assert platelets.reference is not None
    assert platelets.reference.high == Decimal("400.00")
    assert (red.value, red.unit, red.reference) == (Decimal("0.40"), "/100{WBCs}", None)
    assert c.ReportContent.from_json(draft.to_json()) == draft
    assert "the number of platelets is the analyser's" in draft.limits[-1]


def test_a_count_that_was_typed_in_names_no_analyser(open_case: Case) -> None:
    white = draft_report(open_case, cell_ids=[]).white_count
    assert white is not None
    assert white.source == c.UNNAMED_ANALYSER


def test_the_analysers_platelets_are_critical_at_once(open_case: Case) -> None:
    bring(open_case, platelets="12")
    (finding,) = CriticalAlert.objects.get(case=open_case, closed_at=None).snapshots.get().says
    assert (finding.label, finding.value, finding.side) == ("Platelets", Decimal("12.00"), "low")
    assert finding.is_confirmed
    draft = draft_report(open_case, cell_ids=[])
    assert draft.critical is not None
    assert draft.analyser_results[0].flag == c.Coded("critical_low", "Critical low")


def test_an_estimate_is_not_judged_beside_the_analysers_count(
    read_field: Case, pathologist: User
) -> None:
    bring(read_field, platelets="250")
    fields = draft_report(read_field, cell_ids=[]).fields
    assert fields is not None
    assert (fields.platelets, fields.platelets_flag, fields.platelets_reference) == (
        Decimal(90), None, None,
    )  # fmt: skip


@pytest.fixture
def read_field(read_case: Callable[..., Case], pathologist: User) -> Case:
    Laboratory.current()
    Laboratory.objects.update(platelet_factor=Decimal(90))
    case = read_case([field_pixels(1)])
    reviews.open_review(case_id=case.pk, actor=pathologist)
    return case


def test_the_message_has_codes_of_automated_counts() -> None:
    found = results(read(make_full(analyser_results=BROUGHT)))
    platelets, red = found["777-3"], found["58413-6"]
    assert (str(platelets[5]), str(platelets[7]), str(platelets[8])) == ("31.00", "150-400", "L")
    assert (str(red[5]), str(red[6][0][0]), str(red[8])) == ("2.50", "/100{WBCs}", "")
    assert str(platelets[17][0][0]) == "analyser"
    assert str(platelets[16]) == ""


def test_the_resources_name_method_time_and_range() -> None:
    source = signed(content=make_content(analyser_results=BROUGHT, signature=make_signature()))
    bundle = make_transaction(source)
    found = {
        item["code"]["coding"][0]["code"]: item
        for item in (entry["resource"] for entry in bundle["entry"])
        if item["resourceType"] == "Observation"
    }
    platelets = found["777-3"]
    assert platelets["valueQuantity"]["value"] == Decimal("31.00")
    assert platelets["method"]["text"] == "XN-1000 SN123"
    assert platelets["referenceRange"][0]["low"]["value"] == Decimal("150.00")
    assert platelets["interpretation"][0]["coding"][0]["code"] == "L"
    assert "58413-6" in found
    assert faults_of(platelets) == []


def test_tables_give_value_source_and_limits() -> None:
    content = make_content(analyser_results=BROUGHT)
    rows = list(csv.DictReader(io.StringIO(render_csv(content).decode("utf-8-sig"))))
    by_item = {row["item"]: row for row in rows if row["section"] == "analyser"}
    assert by_item["Platelets"]["value"] == "31.00"
    assert by_item["Platelets"]["reference_low"] == "150.00"
    assert by_item["Platelets source"]["value"] == "XN-1000 SN123"
    listed = dict(zip(NAMES, row_of(Listed("x", 1, content)), strict=True))
    assert listed["platelets_measured"] == Decimal("31.00")
    assert listed["platelets_flag"] == "low"
    assert listed["nucleated_red_cells_per_100_measured"] == Decimal("2.50")


def test_paper_shows_the_count_beside_the_estimate() -> None:
    fields = make_full().fields
    text = " ".join(pages_of(render_pdf(make_content(analyser_results=BROUGHT, fields=fields), {})))
    assert "XN-1000 SN123" in text
    assert "our estimate: about 186" in text
    assert "by analyser: 2.50 per 100 leukocytes" in text


def test_a_correction_says_what_the_analyser_now_says() -> None:
    old = make_content()
    (change,) = list_changes(old, replace(old, analyser_results=(PLATELETS,)))
    assert (change.item, change.old) == ("Platelets, by analyser", "not reported")
    assert change.new.startswith("31.00 × 10⁹/L (PLT_CLUMP?), low, reference 150")  # noqa: RUF001


def test_what_was_signed_before_keeps_its_hash() -> None:
    assert "analyser_results" not in make_content().to_json()
