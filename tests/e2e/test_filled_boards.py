"""Boards of quality, and pages that administrators answer for, with something on them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Site
from tests.e2e.shell import ask
from tests.e2e.test_filled_pages import check_at_all_widths

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

# Role -> name -> its address, or * for the address that the filled site gives to the name.
PAGES = {
    "administrator": {
        "controls": "/quality/controls/",
        "control-target": "*",
        "control-rules": "/quality/controls/rules/",
        "control-new": "/quality/controls/new/",
        "access-reviews": "/administration/access-reviews/",
        "access-review": "*",
        "permissions": "/administration/permissions/",
        "duties": "*",
        "log-off": "/administration/log-off/",
        "new-passwords": "/administration/sign-in/new-passwords/",
        "anchors": "/administration/audit/anchors/",
        "changes-outside": "/administration/history/",
        "record-history": "*",
        "readings": "*",
        "restrict": "*",
        "restrictions": "/administration/restricted/",
        "emergencies": "/administration/emergencies/",
        "duplicates": "/patients/duplicates/",
        "laboratory": "/laboratory/",
        "morphology": "/laboratory/morphology/",
        "baseline": "/quality/drift/baseline/",
    },
    "pathologist": {
        "control": "*",
        "control-stop": "*",
        "drift": "/quality/drift/",
        "turn-around": "/quality/turn-around/",
        "workload": "/quality/workload/",
    },
    "technician": {"control-run": "*", "own-sessions": "/account/sessions/"},
    "consultant": {"tokens": "/api/tokens/", "new-token": "/api/tokens/new/"},
}
VISITS = [(role, name) for role, pages in PAGES.items() for name in pages]


@pytest.fixture(scope="module")
def addresses(site: Site) -> dict[str, str]:
    """Fill the boards once; return the addresses of their pages by name."""
    found: dict[str, str] = ask(site, "filled_boards", "make()")
    return found


@pytest.mark.parametrize(("role", "name"), VISITS, ids=str)
def test_board_is_accessible_and_fits(
    page_as: Callable[..., Page], addresses: dict[str, str], role: str, name: str
) -> None:
    page = page_as(role)
    address = PAGES[role][name]
    response = page.goto(addresses[name] if address == "*" else address)
    assert response is not None
    assert response.status == 200
    check_at_all_widths(page, f"{role}-{name}")
