"""The pages of controls: list, chart and tables, runs, targets, rules, and a stop's release."""

import io
from collections.abc import Callable

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from classifier.models import ModelVersion
from quality.models import ControlMaterial, ControlRules, ControlStop, ControlTarget
from quality.services.control_runs import read_waiting
from tests.clinical import picture_bytes
from tests.pages import words_of
from tests.quality.controlling import Expect, RunControl, expect, run_control, slide
from tests.running import SubmitCase, work

__all__ = ["expect", "run_control", "slide"]
ClientFor = Callable[[User], Client]
CONTROLS = "/quality/controls/"
pytestmark = pytest.mark.django_db


def test_a_technician_runs_a_control_and_sees_its_chart(
    slide: ControlMaterial, model: ModelVersion, technician: User, client_for: ClientFor
) -> None:
    client = client_for(technician)
    assert "Normal control" in words_of(client.get(CONTROLS))
    address = f"{CONTROLS}{slide.pk}/run/"
    empty = client.post(address, {"version_id": model.pk})
    assert empty.status_code == 422
    bad = SimpleUploadedFile("note.txt", b"no picture")
    assert "note.txt: " in words_of(client.post(address, {"pictures": bad, "version_id": model.pk}))
    files = [SimpleUploadedFile(f"{n}.png", picture_bytes(n)) for n in (1, 2)]
    asked = {"pictures": files, "version_id": model.pk, "comment": "New stain lot."}
    chart = client.post(address, asked, follow=True)
    assert "waiting to be read" in words_of(chart)
    read_waiting()
    page = words_of(client.get(f"{CONTROLS}{slide.pk}/?analyte=neutrophil"))
    assert "100.00" in page
    assert "New stain lot." in page
    assert "Not judged" in page


def test_charts_and_tables_hold_what_was_read(
    expect: Expect,
    run_control: RunControl,
    slide: ControlMaterial,
    pathologist: User,
    client_for: ClientFor,
) -> None:
    run_control(10)
    expect({"neutrophil": (50.0, 4.0)})
    for neutrophils in (11, 12, 14):
        run_control(neutrophils)
    client = client_for(pathologist)
    for analyte in ("neutrophil", "lymphocyte", "hue"):
        drawn = client.get(f"{CONTROLS}{slide.pk}/figure.svg?analyte={analyte}")
        assert drawn.content.startswith(b"<?xml")
    assert "2 SD" in client.get(f"{CONTROLS}{slide.pk}/figure.svg").content.decode()
    page = words_of(client.get(f"{CONTROLS}{slide.pk}/"))
    assert "50.00 ± 4.00" in page
    assert "1-2s, 1-3s" in page
    exported = client.get(f"{CONTROLS}{slide.pk}/tables/xlsx").content
    sheet = openpyxl.load_workbook(io.BytesIO(exported))["Neutrophil"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert [row[1] for row in rows] == ["50.000", "55.000", "60.000", "70.000"]
    assert [row[6] for row in rows] == [
        "Not judged", "Accepted", "Accepted with a warning", "Rejected",
    ]  # fmt: skip
    as_text = client.get(f"{CONTROLS}{slide.pk}/tables/neutrophil.csv").content.decode()
    assert "1-2s, 1-3s" in as_text
    assert client.get(f"{CONTROLS}{slide.pk}/tables/nothing.csv").status_code == 404


def test_a_chart_without_runs_is_drawn_empty(
    slide: ControlMaterial, pathologist: User, client_for: ClientFor
) -> None:
    client = client_for(pathologist)
    assert client.get(f"{CONTROLS}{slide.pk}/figure.svg").status_code == 200
    assert "No run in this period" in words_of(client.get(f"{CONTROLS}{slide.pk}/"))


def test_control_target_and_rules_are_set_through_the_pages(
    administrator: User, pathologist: User, model: ModelVersion, client_for: ClientFor
) -> None:
    client, approver = client_for(administrator), client_for(pathologist)
    given = {"name": "Normal control", "lot": "N-8"}
    assert client.post(f"{CONTROLS}new/", given).status_code == 302
    assert "kept already" in words_of(client.post(f"{CONTROLS}new/", given))
    material = ControlMaterial.objects.get()
    address = f"{CONTROLS}{material.pk}/target/"
    assert "0 of at least 20 runs" in words_of(client.get(address))
    half = {"enter-mean_neutrophil": "55", "enter-reason": "Counted."}
    assert "Enter mean and SD, or neither" in words_of(client.post(address, half))
    assert client.post(address, half | {"enter-sd_neutrophil": "4.5"}).status_code == 302
    target = ControlTarget.objects.get()
    settle = f"{CONTROLS}targets/{target.pk}"
    assert client.post(f"{settle}/approve/").status_code == 403
    assert "Approve in my name" in words_of(approver.get(f"{CONTROLS}{material.pk}/"))
    assert approver.post(f"{settle}/approve/").status_code == 302
    assert "approved by" in words_of(approver.get(f"{CONTROLS}{material.pk}/"))
    rules = {"rules": ["1_3s"], "missing_stops": "on", "reason": "Agreed."}
    assert "Say how often" in words_of(client.post(f"{CONTROLS}rules/", rules))
    assert client.post(f"{CONTROLS}rules/", rules | {"due_hours": "24"}).status_code == 302
    kept = ControlRules.objects.get()
    assert (kept.rules, kept.due_hours, kept.missing_stops) == (["1_3s"], 24, True)
    assert "every 24 h" in words_of(client.get(CONTROLS))
    retire = f"{CONTROLS}{material.pk}/retire/"
    assert client.post(retire, {"reason": "Used up."}).status_code == 302
    assert "Retired on" in words_of(client.get(f"{CONTROLS}{material.pk}/"))


def test_a_stop_lists_the_cases_and_is_released_from_its_page(
    submit: SubmitCase,
    expect: Expect,
    run_control: RunControl,
    pathologist: User,
    technician: User,
    client_for: ClientFor,
) -> None:
    case = submit(1)
    work()
    expect()
    run_control(15)
    stop = ControlStop.objects.get()
    address = stop.get_absolute_url()
    client = client_for(pathologist)
    assert "is stopped since" in words_of(client.get(CONTROLS))
    page = words_of(client.get(address))
    assert case.accession_number in page
    assert "Release without a good control" in page
    assert client_for(technician).post(address, {"reason": "So."}).status_code == 403
    early = client.post(address, {"reason": "New stain.", "release": "1"})
    assert "No control was good" in words_of(early)
    run_control(10)
    assert "Release the classifier" in words_of(client.get(address))
    assert client.post(address, {"reason": "New stain.", "release": "1"}).status_code == 302
    assert "after a good control: New stain." in words_of(client.get(address))
    assert "is stopped since" not in words_of(client.get(CONTROLS))


def test_the_list_needs_no_more_queries_for_more_runs(
    run_control: RunControl,
    administrator: User,
    client_for: ClientFor,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_for(administrator)
    for _ in range(3):
        run_control()
        with django_assert_max_num_queries(30):
            client.get(CONTROLS)
