"""Every page, at desktop and phone width: accessible, nothing cut off, no blocked content."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import ROOT, Site

pytestmark = [pytest.mark.e2e, pytest.mark.processes, pytest.mark.real_model]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}

# Role -> name -> how to get there: an address, or texts of links to follow from the start page.
PAGES = {
    "technician": {
        "worklist": "/",
        "patients": "/patients/",
        "register": "/patients/new/",
        "patient": "/patients/ > Doe, Jane",
        "new-case": "/patients/ > Doe, Jane > New case",
        "draft": "/patients/ > Mbeki, Thabo > HV",
        "classified": "/patients/ > Doe, Jane > HV",
        "discussion": "/patients/ > Doe, Jane > HV > Open the discussion",
        "mentions": "/mentions/",
        "account": "/account/password/change/",
        "second-factor": "/account/2fa/",
        "missing": "/no-such-page/",
    },
    "pathologist": {"worklist": "/", "references": "/reference-cells/", "review": "/ > HV"},
    "consultant": {"consultations": "/consultations/"},
    "administrator": {
        "users": "/administration/users/",
        "invite": "/administration/users/ > Invite",
        "user": "/administration/users/ > Tara Lindqvist",
        "sign-in-rules": "/administration/sign-in/",
        "audit": "/administration/audit/",
    },
}
VISITS = [(role, name, path) for role, pages in PAGES.items() for name, path in pages.items()]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("role", "name", "path"), VISITS, ids=str)
def test_page_is_accessible_and_fits(
    page_as: Callable[..., Page], role: str, name: str, path: str, width: str
) -> None:
    page = page_as(role, width=WIDTHS[width][0], height=WIDTHS[width][1])
    follow(page, path)
    keep_screenshot(page, f"{role}-{name}-{width}")
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/account/login/", "/account/password/reset/"])
def test_page_before_sign_in_is_accessible_and_fits(
    site: Site, browser: Browser, path: str, width: str
) -> None:
    size = {"width": WIDTHS[width][0], "height": WIDTHS[width][1]}
    context = browser.new_context(base_url=site.url, viewport=size)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(path)
    keep_screenshot(page, f"anonymous{path.replace('/', '-')}{width}")
    assert_fits(page)
    assert_accessible(page)
    context.close()


def test_a_password_can_be_shown(site: Site, browser: Browser) -> None:
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto("/account/login/")
    field = page.locator("input[name=password]")
    field.fill("a wrong password")
    page.get_by_role("button", name="Show what is typed").click()
    expect(field).to_have_attribute("type", "text")
    assert_accessible(page)
    page.get_by_role("button", name="Hide what is typed").click()
    expect(field).to_have_attribute("type", "password")
    context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_new_password_is_judged_while_it_is_typed(
    page_as: Callable[..., Page], width: str
) -> None:
    page = page_as("technician", width=WIDTHS[width][0], height=WIDTHS[width][1])
    page.goto("/account/password/change/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    meter, field = page.get_by_role("meter"), page.locator("input[name=password1]")
    expect(meter).to_be_hidden()
    for typed, words in (("password1234", "Easily guessed"), ("vsx qomi 71 trulb", "Very hard")):
        field.fill(typed)
        expect(page.get_by_text(words)).to_be_visible()
        keep_screenshot(page, f"password-{width}-{len(typed)}")
        assert_fits(page)
        assert_accessible(page)
    assert set(sent) == {"GET"}, "only the dictionaries were fetched"
    field.fill("")
    expect(meter).to_be_hidden()


def follow(page: Page, path: str) -> None:
    """Go to the first address, then follow the first visible link with each text."""
    address, *texts = path.split(" > ")
    page.goto(address)
    for text in texts:
        page.locator("main a:visible", has_text=text).first.click()
        page.wait_for_load_state("networkidle")


def keep_screenshot(page: Page, name: str) -> None:
    """Write a picture for people to look at, where SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def assert_fits(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"{page.url} is {overflow} px too wide"


def assert_accessible(page: Page, *, listed_too: str = "no such class") -> None:
    """Axe finds no violation of WCAG 2.2, levels A and AA.

    Targets of the class `listed_too` may be small, as a list beside them leads to the same places
    (2.5.8, exception "Equivalent").
    """
    page.evaluate(AXE.read_text())
    result = page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", RULES)
    found = [
        f"{violation['id']}: {node['html'][:200]} — {node['failureSummary'][:300]}"
        for violation in result["violations"]
        for node in violation["nodes"]
        if violation["id"] != "target-size" or f'class="{listed_too}"' not in node["html"]
    ]
    assert not found, "\n".join(found)
