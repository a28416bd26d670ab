"""The delta check: what is flagged, dismissed and printed."""

import csv
import io
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier.exceptions import EditConflict, GuardFailed, NotPermitted
from classifier.models import Case, DeltaLimit
from reports.content import Delta, ReportContent, WhiteCount
from reports.delta import change_percent, find_deltas, measure
from reports.drafting import draft_report, flagged_deltas
from reports.models import DeltaDismissal
from reports.pdf import render_pdf
from reports.pictures import load_printed
from reports.previous import PastResult
from reports.services.deltas import dismiss_delta
from reports.tabular import render_csv
from tests.factories import UserFactory
from tests.reports.contents import ROWS, make_content
from tests.reports.history import MakeReport, OpenCase
from tests.reports.test_pdf import pages_of

ClientFor = Callable[[User], Client]

MANY = ["neutrophil"] * 24 + ["lymphocyte"] * 6
FEW = ["neutrophil"] * 6 + ["lymphocyte"] * 24


@pytest.fixture
def case(open_counted: OpenCase, report_of: MakeReport) -> Case:
    """A case in review whose neutrophils fell from 80 to 20 % within two days."""
    report_of(open_counted(MANY, hours_ago=50))
    return open_counted(FEW)


def limit(analyte: str, **fields: object) -> DeltaLimit:
    """Add a second version of an analyte's limit."""
    start = date(2020, 1, 1)
    return DeltaLimit.objects.create(
        analyte=analyte, version=2, source="test", effective_from=start, **fields
    )


def names(deltas: tuple[Delta, ...]) -> list[str]:
    return [delta.analyte.code for delta in deltas]


def white(value: str) -> WhiteCount:
    return WhiteCount(Decimal(value), None, "Haematology analyser")


def past(case: Case, hours: float = 48, **changed: object) -> PastResult:
    taken = case.specimen.collected_at - timedelta(hours=hours)
    return PastResult(uuid.uuid4(), uuid.uuid4(), "HV26-000001X", 1, taken, make_content(**changed))


def dismiss(case: Case, actor: User, **changed: object) -> DeltaDismissal:
    arguments = {
        "case_id": case.pk,
        "actor": actor,
        "analyte": "neutrophil",
        "value": "20.0",
        "reason": "Known response to treatment.",
        "action_id": uuid.uuid4(),
    }
    return dismiss_delta(**arguments | changed)  # type: ignore[arg-type]


def test_flags_a_class_beyond_both_intervals_and_the_limit(case: Case) -> None:
    neutrophil, lymphocyte = flagged_deltas(case)
    assert (neutrophil.analyte.code, lymphocyte.analyte.code) == ("neutrophil", "lymphocyte")
    assert (neutrophil.value, neutrophil.previous) == (Decimal("20.0"), Decimal("80.0"))
    assert neutrophil.change_percent == Decimal("-75.0")
    assert lymphocyte.change_percent == Decimal("300.0")
    assert neutrophil.previous_low is not None
    assert neutrophil.value < neutrophil.previous_low
    assert (neutrophil.limit_percent, neutrophil.window_hours) == (Decimal(50), 72)
    assert not neutrophil.is_approved


def test_flags_nothing_that_lies_in_the_others_interval(
    open_counted: OpenCase, report_of: MakeReport
) -> None:
    report_of(open_counted(["neutrophil"] * 2 + ["lymphocyte"] * 4, hours_ago=50))
    assert flagged_deltas(open_counted(["neutrophil"] * 4 + ["lymphocyte"] * 2)) == ()


def test_flags_nothing_below_the_percent_limit_or_out_of_the_window(case: Case) -> None:
    limit("neutrophil", percent=75)
    assert names(flagged_deltas(case)) == ["lymphocyte"]
    limit("lymphocyte", percent=50, window_hours=47)
    assert names(flagged_deltas(case)) == []


def test_a_window_of_48_hours_still_holds_what_is_48_hours_old(case: Case) -> None:
    previous = Case.objects.exclude(pk=case.pk).get()
    previous.specimen.collected_at = case.specimen.collected_at - timedelta(hours=48)
    previous.specimen.save(update_fields=["collected_at"])
    limit("neutrophil", percent=50, window_hours=48)
    limit("lymphocyte", percent=50, window_hours=47)
    assert names(flagged_deltas(case)) == ["neutrophil"]


def test_an_interval_that_carries_naming_errors_is_the_one_that_counts(case: Case) -> None:
    rows = (
        replace(ROWS[0], percent=Decimal("80.0"), ci_low=Decimal("71.0"), ci_high=Decimal("87.0")),
    )
    before = past(case, differential=(ROWS[0],))
    assert names(find_deltas(case, rows, None, [before])) == ["neutrophil"]
    wide = (replace(rows[0], naming_low=Decimal("30.0"), naming_high=Decimal("90.0")),)
    assert find_deltas(case, wide, None, [before]) == ()


def test_blasts_that_appear_are_flagged_and_a_class_never_seen_is_not(case: Case) -> None:
    without = tuple(row for row in ROWS if row.cell_type.code != "blast")
    (blast,) = find_deltas(case, ROWS, None, [past(case, differential=without)])
    assert (blast.analyte.code, blast.change_percent) == ("blast", None)
    assert not blast.previous
    assert "plasma_cell" in measure(ROWS, None)


def test_the_white_count_is_held_against_its_limit_alone(case: Case) -> None:
    before = past(case, white_count=white("4.00"))
    (wbc,) = find_deltas(case, ROWS, white("6.10"), [before])
    assert (wbc.analyte.code, wbc.unit, wbc.low) == ("wbc", "10*9/L", None)
    assert wbc.change_percent == Decimal("52.5")
    assert find_deltas(case, ROWS, white("6.00"), [before]) == ()
    assert find_deltas(case, ROWS, None, [before]) == ()


def test_only_the_last_result_before_counts(case: Case) -> None:
    fallen = past(case, 24, white_count=white("2.00"))
    alike = past(case, 12, white_count=white("6.00"))
    assert find_deltas(case, ROWS, white("6.10"), [alike, fallen]) == ()
    assert find_deltas(case, ROWS, white("6.10"), []) == ()


def test_an_approved_limit_beats_a_newer_draft_and_one_to_come(
    case: Case, pathologist: User
) -> None:
    day = timezone.localdate(case.specimen.collected_at)
    common = {"analyte": "neutrophil", "source": "test"}
    for version, percent, start in ((2, 90, date(2020, 1, 1)), (3, 95, day + timedelta(days=1))):
        DeltaLimit.objects.create(**common, version=version, percent=percent, effective_from=start)
    assert names(flagged_deltas(case)) == ["lymphocyte"]
    DeltaLimit.objects.filter(version=1).update(approved_by=pathologist, approved_at=timezone.now())
    assert flagged_deltas(case)[0].is_approved
    assert names(flagged_deltas(case)) == ["neutrophil", "lymphocyte"]


def test_seeds_are_not_approved_and_limits_are_positive(db: None) -> None:
    assert not DeltaLimit.objects.filter(approved_by__isnull=False).exists()
    assert DeltaLimit.objects.get(analyte="wbc").percent == 50
    with pytest.raises(IntegrityError, match="delta_limit_is_positive"):
        DeltaLimit.objects.create(
            analyte="wbc", version=2, percent=0, source="test", effective_from=date(2026, 1, 1)
        )


def test_changes_are_relative_to_the_previous_value() -> None:
    assert change_percent(Decimal("82.0"), Decimal("55.0")) == Decimal("49.1")
    assert change_percent(Decimal("1.0"), Decimal("0.0")) is None


def test_what_stands_is_printed_and_in_every_form(case: Case) -> None:
    draft = draft_report(case)
    assert names(draft.deltas) == ["neutrophil", "lymphocyte"]
    assert ReportContent.from_json(draft.to_json()) == draft
    text = " ".join(pages_of(render_pdf(draft, load_printed(draft.pictures))))
    assert "Delta: Neutrophil" in text
    assert "limit 50 % within 72 h, version 1, not yet approved" in " ".join(text.split())
    rows = csv.DictReader(io.StringIO(render_csv(draft).decode("utf-8-sig")))
    found = {row["item"]: row["value"] for row in rows if row["section"] == "delta"}
    assert (found["Neutrophil now"], found["Neutrophil before"]) == ("20.0", "80.0")
    # A spreadsheet must not run it.
    assert found["Neutrophil change"] == "'-75.0"


def test_a_dismissed_delta_is_not_printed_but_stays_on_record(
    case: Case, pathologist: User
) -> None:
    action = uuid.uuid4()
    first = dismiss(case, pathologist, action_id=action)
    assert dismiss(case, pathologist, action_id=action) == first
    assert dismiss(case, pathologist) == first
    assert names(draft_report(case).deltas) == ["lymphocyte"]
    assert names(flagged_deltas(case)) == ["neutrophil", "lymphocyte"]
    event = AuditEvent.objects.get(action="report.delta_dismissed")
    assert event.reason == "Known response to treatment."
    assert event.after == {"analyte": "neutrophil", "value": "20.0"}
    with pytest.raises(DatabaseError), transaction.atomic():
        DeltaDismissal.objects.update(reason="Another.")
    with pytest.raises(DatabaseError), transaction.atomic():
        first.delete()


def test_a_dismissal_holds_for_the_value_that_was_on_the_screen(
    case: Case, pathologist: User, correct: Callable[..., object]
) -> None:
    dismiss(case, pathologist)
    correct(case, [0], "lymphocyte")
    assert names(draft_report(case).deltas) == ["neutrophil", "lymphocyte"]
    with pytest.raises(EditConflict):
        dismiss(case, pathologist)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_dismissal_says_why(case: Case, pathologist: User, reason: str) -> None:
    with pytest.raises(GuardFailed):
        dismiss(case, pathologist, reason=reason)
    assert not DeltaDismissal.objects.exists()


def test_only_who_has_the_case_open_dismisses(case: Case) -> None:
    with pytest.raises(NotPermitted):
        dismiss(case, UserFactory.create(role="pathologist"))


def test_the_pages_show_flag_form_and_what_is_left(
    case: Case, pathologist: User, client_for: ClientFor
) -> None:
    client = client_for(pathologist)
    url = reverse("classifier:review", args=[case.pk])
    earlier = Case.objects.exclude(pk=case.pk).get()
    page = client.get(url).content.decode()
    assert "Delta: Neutrophil" in page
    # What is being typed outlives a refresh: its place is found by a selector, so without dots.
    assert re.findall(r'id="dismiss-([^"]+)" hx-preserve', page) == [
        "neutrophil-200",
        "lymphocyte-800",
    ]
    assert reverse("classifier:review", args=[earlier.pk]) in page
    form = {"analyte": "neutrophil", "value": "20.0", "action_id": str(uuid.uuid4())}
    post = reverse("reports:dismiss_delta", args=[case.pk])
    assert client.post(post, form).status_code == 302
    assert not DeltaDismissal.objects.exists()
    client.post(post, form | {"reason": "After chemotherapy."})
    page = client.get(url).content.decode()
    assert "After chemotherapy." in page
    signing = client.get(reverse("reports:sign_off", args=[case.pk])).content.decode()
    assert "1 delta not dismissed" in signing
    assert "disabled" not in signing.split("Sign and issue")[0].rsplit("<button", 1)[1]


def test_a_technician_cannot_dismiss(case: Case, technician: User, client_for: ClientFor) -> None:
    response = client_for(technician).post(reverse("reports:dismiss_delta", args=[case.pk]))
    assert response.status_code == 403
