"""From the button on the sign-in page to a signed report, at a real provider, in a real browser."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page, WebError, expect, sync_playwright

from accounts.models import IdentityLink, User
from classifier.models import Case
from reports.models import Report
from tests.e2e.conftest import CHROMIUM_OPTIONS, find_chromium
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot
from tests.identity_provider import NAME, IdentityProvider
from tests.reports.conftest import ready_case  # noqa: F401
from tests.reports.pages import address

pytestmark = [pytest.mark.e2e, pytest.mark.processes]


@pytest.fixture
def site(live_server: Any, settings: Any, provider: IdentityProvider, pathologist: User) -> str:
    """This very site, set up for the provider, where the pathologist's account is connected."""
    settings.SITE_URL = live_server.url
    IdentityLink.objects.create(
        user=pathologist, issuer=provider.url, subject="paul", origin="owner"
    )
    provider.knows("paul", pathologist.email)
    return str(live_server.url)


def browse(site: str, walk: Callable[[Page], None]) -> None:
    """Walk in a browser, in a thread of its own: the test itself asks the database."""
    errors: list[object] = []

    def note(error: WebError) -> None:
        errors.append(error.error)

    def run() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=CHROMIUM_OPTIONS
            )
            for width, height in ((390, 844), (1440, 900)):
                context = browser.new_context(
                    base_url=site, viewport={"width": width, "height": height}
                )
                page = context.new_page()
                context.on("weberror", note)
                walk(page)
                context.close()
            browser.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()
    assert not errors


def width_of(page: Page) -> int:
    size = page.viewport_size
    assert size is not None
    return size["width"]


def look(page: Page, name: str) -> None:
    assert_fits(page)
    assert_accessible(page)
    keep_screenshot(page, f"sso-{name}-{width_of(page)}")


def authorize(page: Page) -> None:
    page.get_by_placeholder("sub").fill("paul")
    page.get_by_role("button", name="Authorize").click()


def test_a_report_is_signed_by_somebody_who_came_from_the_provider(
    site: str,
    ready_case: Case,  # noqa: F811
) -> None:
    where = address("sign_off", ready_case)

    def walk(page: Page) -> None:
        page.goto(f"/account/login/?next={where}")
        look(page, "door")
        page.get_by_role("button", name=f"Sign in with {NAME}").click()
        authorize(page)
        page.wait_for_url(f"**{where}")
        page.locator("input[value=review]").check()
        look(page, "before")
        if width_of(page) == 390:
            return
        page.get_by_role("button", name="Sign and issue").click()
        authorize(page)
        page.wait_for_url(f"**{where}")
        expect(page.get_by_text(f"Confirmed with {NAME}")).to_be_visible()
        expect(page.locator("input[value=review]")).to_be_checked()
        look(page, "confirmed")
        page.get_by_role("button", name="Sign and issue").click()
        expect(page.get_by_text("Single sign-on, anew")).to_be_visible()

    browse(site, walk)
    signature = Report.objects.get().sign_off
    assert (signature.reauthenticated_by, signature.meaning) == ("sso", "review")
