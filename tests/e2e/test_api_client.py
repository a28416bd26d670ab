"""The client of the handbook, run as it stands there, against the whole site."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from demo.people import PASSWORD
from ml.synthetic import render_cell
from tests.e2e.conftest import ROOT, Site

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")
MOST_LINES = 50


def client_of_the_handbook() -> str:
    """The one block of Python in the handbook's page."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.DOTALL)
    return str(code)


def make_token(page: Page) -> str:
    """Make a token of all scopes on the page for it; return its text."""
    page.goto("/api/tokens/new/")
    page.locator("#id_name").fill("Handbook")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    return page.locator("#token").inner_text().strip()


def test_it_is_short() -> None:
    assert len([line for line in client_of_the_handbook().splitlines() if line]) <= MOST_LINES


def test_it_registers_sends_waits_and_prints(
    site: Site, page_as: Callable[..., Page], tmp_path: Path
) -> None:
    token = make_token(page_as("technician"))
    pictures = []
    for number, name in enumerate(CLASSES):
        pictures.append(tmp_path / f"{name}.png")
        Image.fromarray(render_cell(name, seed=700 + number, size=160)).save(pictures[-1])
    script = tmp_path / "client.py"
    script.write_text(client_of_the_handbook())
    done = subprocess.run(
        [sys.executable, str(script), site.url, token, "APICLIENT1", *map(str, pictures)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) >= 5
    (stored,) = tmp_path.glob("HV*.json")
    results = json.loads(stored.read_text())
    assert results["status"] == "awaiting_review"
    assert [run["status"] for run in results["runs"]] == ["succeeded"] * len(CLASSES)


def test_the_description_is_read_under_the_content_policy(page_as: Callable[..., Page]) -> None:
    page = page_as("technician")
    page.goto("/api/docs/")
    expect(page.locator(".opblock-summary-path", has_text="patients/find")).to_be_visible()
    page.get_by_role("button", name=re.compile("Open a case")).first.click()
    expect(page.get_by_text("Open a case for a registered patient").first).to_be_visible()
