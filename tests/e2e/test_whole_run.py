"""One run in one piece: ordered by one system, read, signed and corrected here, told to another."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import hl7
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from ml.synthetic import render_cell
from tests.e2e.conftest import Site
from tests.e2e.connecting import (
    add_receiver,
    add_sender,
    pdf_in,
    results_of,
    say,
    switch_off,
)
from tests.e2e.steps import (
    download_pdf,
    name_referred_cells,
    open_review,
    sign,
    submit,
    upload,
    write_interpretation,
)
from tests.e2e.test_main_job import correct_one_cell
from tests.exchange.conftest import ReceiverProcess
from tests.exchange.messages import oml, oru
from tests.faults.site import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

CLASSES = ("neutrophil", "lymphocyte", "neutrophil", "monocyte", "neutrophil", "eosinophil")
IMAGES = 18
MRN = "E2E-WHOLE"
PLACER = "WHOLE-77"
ORDER = oml(
    placer=PLACER,
    control_id="WHOLE1",
    pid=f"PID|1||{MRN}^^^GENHOSP^MR||Curie^Ève^^^^^L||19041206|F",
)
# Shares of leukocytes without method, as LOINC has them.
SHARES = {
    "neutrophil": "26511-6",
    "lymphocyte": "26478-8",
    "monocyte": "26485-3",
    "eosinophil": "26450-7",
    "basophil": "30180-4",
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few drawn cells of several classes."""
    folder = tmp_path_factory.mktemp("cells")
    paths = []
    for number in range(IMAGES):
        paths.append(folder / f"cell-{number:03d}.png")
        drawn = render_cell(CLASSES[number % len(CLASSES)], seed=4200 + number, size=160)
        Image.fromarray(drawn).save(paths[-1])
    return paths


@pytest.fixture
def administrator(page_as: Callable[..., Page]) -> Iterator[Page]:
    """An administrator's page, on which the receiver is switched off at the end."""
    page = page_as("administrator")
    yield page
    switch_off(page, name="Ward system")


@pytest.fixture
def emr(tmp_path: Path) -> Iterator[ReceiverProcess]:
    """The hospital's system, which takes results: another library's MLLP server."""
    process = ReceiverProcess(tmp_path, {})
    process.start()
    yield process
    process.stop()


def test_an_order_comes_in_and_its_results_go_out(
    site: Site,
    page_as: Callable[..., Page],
    emr: ReceiverProcess,
    administrator: Page,
    pictures: list[Path],
    tmp_path: Path,
) -> None:
    add_sender(administrator, name="Order entry", kind="orders", application="ORDERS")
    add_sender(administrator, name="Blood counter", kind="analyser", application="XN")
    add_receiver(administrator, name="Ward system", port=emr.port)

    reply = say(site.hl7_port, ORDER)
    assert str(reply["MSA"][0][1]) == "AA"
    accession = str(reply["ORC"][0][3][0][0])
    assert str(say(site.hl7_port, oru(accession, control_id="WHOLE2"))["MSA"][0][1]) == "AA"

    technician = page_as("technician")
    find_case(technician, accession)
    upload(technician, pictures, tmp_path)
    submit(technician, IMAGES)

    page = page_as("pathologist")
    open_review(page, accession)
    name_referred_cells(page)
    write_interpretation(page, "Seen after an order by wire.")
    sign(page)
    first = message_of(emr, accession, version=1)
    check_message(first, page, status="F")

    correct_one_cell(page)
    sign(page)
    second = message_of(emr, accession, version=2)
    check_message(second, page, status="C")
    assert results_of(second)[SHARES["lymphocyte"]] != results_of(first)[SHARES["lymphocyte"]]
    assert any("Supersedes version 1" in str(note[3]) for note in second.segments("NTE"))


def find_case(page: Page, accession: str) -> None:
    """Scan the accession number; the case shows what was ordered and what the analyser counted."""
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type(accession)
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/**")
    for expected in (MRN, "Pallor, fever", "7.25"):
        expect(page.get_by_text(expected).first).to_be_visible()


def message_of(emr: ReceiverProcess, accession: str, *, version: int) -> hl7.Message:
    """Wait for the message about a version, and return it; each version is told once."""

    def about_the_case() -> list[dict[str, Any]]:
        return [line for line in emr.seen() if line["filler"].startswith(accession)]

    wait_until(lambda: len(about_the_case()) >= version, f"version {version} is sent", 60)
    assert len(about_the_case()) == version
    return hl7.parse(about_the_case()[-1]["text"])


def check_message(message: hl7.Message, page: Page, *, status: str) -> None:
    """The message says for whom and on what order it is, and what the signed report says."""
    assert str(message["MSH"][0][9]) == "ORU^R01^ORU_R01"
    assert str(message["PID"][0][3][0][0]) == MRN
    assert [str(part) for part in message["PID"][0][5][0][:2]] == ["Curie", "Ève"]
    assert str(message["OBR"][0][2][0][0]) == PLACER
    assert str(message["OBR"][0][25]) == status
    results = results_of(message)
    content = signed_content(page)
    shares = {row["cell_type"]["code"]: row["percent"] for row in content["differential"]}
    assert sum(row["count"] for row in content["differential"]) > 0
    for cell_type, code in SHARES.items():
        assert Decimal(results[code]) == Decimal(shares[cell_type]).quantize(Decimal("0.1"))
    assert Decimal(results["6690-2"]) == Decimal("7.25"), "the analyser's white count"
    shown, _ = download_pdf(page, MRN)
    assert pdf_in(message) == shown


def signed_content(page: Page) -> dict[str, Any]:
    """Return the signed content of the report that the page shows."""
    page.locator("summary", has_text="Data").click()
    address = page.get_by_role("link", name="Signed content").get_attribute("href")
    content: dict[str, Any] = page.request.get(str(address)).json()
    return content
