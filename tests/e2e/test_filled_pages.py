"""Pages of reports, exchange, quality and administration, and what else, with something on them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e import filled_site
from tests.e2e.conftest import Site
from tests.e2e.shell import ask
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

WIDTHS = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
CONSULTANT = filled_site.CONSULTANT

# Role -> name -> its address, or * for the address that the filled site gives to the name.
REPORTS_AND_EXCHANGE = {
    "administrator": {
        "receivers": "/exchange/receivers/",
        "receiver": "*",
        "sent": "/exchange/sent/",
        "sent-message": "*",
        "senders": "/exchange/senders/",
        "sender": "*",
        "incoming": "/exchange/incoming/",
        "incoming-1": "*",
        "incoming-2": "*",
        "incoming-3": "*",
        "webhooks": "/administration/webhooks/",
        "withdrawals": "/administration/reports/withdrawals/",
        "withdrawal": "*",
        "layout": "/administration/reports/layout/",
        "notices-of-roles": "/administration/notices/",
        "limits": "/laboratory/limits/",
        "limits-printed": "/laboratory/limits/printed/",
        "studies": "/reference-counts/",
        "study": "*",
        "research": "/reports/research/",
    },
    "pathologist": {
        "reports": "/reports/",
        "report": "*",
        "patient-reports": "*",
        "ask-withdrawal": "*",
        "notices": "/notices/",
        "notice-choices": "/notices/choices/",
        "review": "*",
        "discussion": "*",
    },
    "technician": {
        "tokens": "/api/tokens/",
        "new-token": "/api/tokens/new/",
        "verify": "/verify/",
        "verify-report": "*",
    },
    CONSULTANT: {"consultation": "*"},
}
BOARDS = {
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
        "copies": "/administration/copies/",
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
VISITS = [
    (role, name, address)
    for pages in (REPORTS_AND_EXCHANGE, BOARDS)
    for role, named in pages.items()
    for name, address in named.items()
]


@pytest.fixture(scope="module")
def addresses(site: Site) -> dict[str, str]:
    """Fill the site once; return the addresses of its pages by name."""
    reports: dict[str, str] = ask(site, "filled_site", "make()")
    boards: dict[str, str] = ask(site, "filled_boards", "make()")
    return reports | boards


@pytest.mark.parametrize(("role", "name", "address"), VISITS, ids=str)
def test_filled_page_is_accessible_and_fits(
    page_as: Callable[..., Page], addresses: dict[str, str], role: str, name: str, address: str
) -> None:
    page = page_as(role)
    response = page.goto(addresses[name] if address == "*" else address)
    assert response is not None
    assert response.status == 200
    check_at_all_widths(page, f"{role}-{name}")


@pytest.mark.parametrize("opened", ["Result", "Discussion"])
def test_tab_of_the_review_is_accessible_and_fits(
    page_as: Callable[..., Page], addresses: dict[str, str], opened: str
) -> None:
    page = page_as("pathologist")
    page.goto(addresses["review"])
    page.get_by_role("tab", name=opened).click()
    if opened == "Discussion":
        page.get_by_text("Refer for an opinion").click()
    check_at_all_widths(page, f"pathologist-review-{opened.lower()}")


def check_at_all_widths(page: Page, name: str) -> None:
    """Nothing is cut off at any width; axe finds nothing at the narrowest and the widest."""
    for width, (across, down) in WIDTHS.items():
        page.set_viewport_size({"width": across, "height": down})
        keep_screenshot(page, f"{name}-{width}")
        assert_fits(page)
        if width != "tablet":
            assert_accessible(page)
