"""The steps of connecting other systems, in a browser, and what those systems then send and get."""

import base64
from typing import Any

import hl7
from playwright.sync_api import Page, expect

from tests.exchange.listening import connect, read_until


def add_sender(page: Page, *, name: str, kind: str, application: str) -> None:
    """Let a system on this machine send, on the page for it."""
    page.goto("/exchange/senders/")
    page.get_by_role("link", name="Add", exact=True).click()
    page.locator("#id_name").fill(name)
    page.locator("#id_kind").select_option(kind)
    page.locator("#id_networks").fill("127.0.0.1")
    page.locator("#id_application").fill(application)
    page.locator("#id_mrn_issuer").fill("GENHOSP")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def add_receiver(page: Page, *, name: str, port: int) -> None:
    """Add a system that gets results without TLS, try the connection, and leave it switched on."""
    page.goto("/exchange/receivers/")
    page.get_by_role("link", name="Add receiver").first.click()
    page.locator("#id_name").fill(name)
    page.locator("#id_host").fill("127.0.0.1")
    page.locator("#id_port").fill(str(port))
    page.get_by_label("Encrypt and verify with TLS").uncheck()
    page.locator("#id_application").fill("EMR")
    page.locator("#id_facility").fill("GENHOSP")
    page.get_by_label("Send to it").check()
    page.get_by_role("button", name="Add receiver").click()
    page.get_by_role("button", name="Try connection").click()
    expect(page.get_by_text("Nothing was sent.")).to_be_visible()


def switch_off(page: Page, *, name: str) -> None:
    """Have nothing sent to a system any more."""
    page.goto("/exchange/receivers/")
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_label("Send to it").uncheck()
    page.get_by_role("button", name="Store").click()
    page.goto("/exchange/receivers/")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_label("Send to it")).not_to_be_checked()


def say(port: int, message: bytes) -> Any:
    """Send a message over MLLP as another system does; return the reply, read by a library."""
    with connect(port) as stream:
        stream.sendall(b"\x0b" + message + b"\x1c\r")
        reply = read_until(stream, b"\x1c\r")
    return hl7.parse(reply.strip(b"\x0b\x1c\r").decode() + "\r")


def results_of(message: hl7.Message) -> dict[str, str]:
    """Return what each numeric result says, by its code."""
    return {
        str(line[3][0][0]): str(line[5]) for line in message.segments("OBX") if str(line[2]) == "NM"
    }


def pdf_in(message: hl7.Message) -> bytes:
    """Return the PDF that a message carries."""
    (line,) = (line for line in message.segments("OBX") if str(line[2]) == "ED")
    return base64.b64decode(str(line[5][0][4]))
