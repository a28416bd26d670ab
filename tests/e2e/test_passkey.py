"""A passkey in a real browser, with a virtual authenticator: set up, then signed in with alone."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Site
from tests.e2e.test_pages import assert_accessible, assert_fits, keep_screenshot

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

EMAIL = "kirsten.key@demo.example"
PASSWORD = "seven quiet microscopes"


@pytest.fixture
def door(site: Site, browser: Browser) -> Iterator[Page]:
    """A browser with a key in it; keys are tied to a name, so the site is opened by its name."""
    address = site.url.replace("127.0.0.1", "localhost")
    context = browser.new_context(base_url=address, viewport={"width": 390, "height": 844})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda said: problems.append(said.text) if "Security Policy" in said.text else None,
    )
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield page
    context.close()
    assert not problems


def test_a_passkey_is_set_up_and_opens_the_account(
    page_as: Callable[..., Page], door: Page
) -> None:
    join(door, invite(page_as("administrator")))
    set_up(door)
    sign_out(door)
    door.get_by_role("button", name="Use a passkey").click()
    expect(door.locator("details.menu summary", has_text="Kirsten Key")).to_have_count(1)
    assert "/login" not in door.url


def invite(page: Page) -> str:
    """Make an account as an administrator and return its link."""
    page.goto("/administration/users/invite/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Full name").fill("Kirsten Key")
    page.get_by_role("radio", name="Technician").check()
    page.get_by_role("button", name="Make account").click()
    return urlsplit(page.locator("code.secret").inner_text()).path


def join(page: Page, link: str) -> None:
    """Set a password and sign in with it."""
    page.goto(link)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password_again]").fill(PASSWORD)
    page.locator("input[name=agreed]").check()
    page.locator("main button[type=submit]").click()
    page.locator("input[name=login]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def set_up(page: Page) -> None:
    """Add a passkey, look at its pages, keep the recovery codes."""
    page.goto("/account/2fa/")
    page.get_by_role("link", name="Add a key").click()
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("What do you call it?").fill("this phone")
    page.get_by_label("Sign in with this key alone").check()
    look(page, "key-add")
    page.get_by_role("button", name="Set up the key").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    look(page, "recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator(".factor-keys strong")).to_have_text("this phone")
    look(page, "second-factor")


def sign_out(page: Page) -> None:
    page.goto("/account/logout/")
    page.locator("main button[type=submit]").click()
    page.goto("/account/login/")


def look(page: Page, name: str) -> None:
    keep_screenshot(page, f"passkey-{name}-phone")
    assert_fits(page)
    assert_accessible(page)
