"""Fixtures: a real OpenID Connect provider in a process of its own, and ways through it."""

import html
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from django.core.cache import cache
from django.test import Client

START_SECONDS = 30
CLIENT_ID = "hematovision"
NAME = "Hospital account"


@dataclass(frozen=True)
class IdentityProvider:
    """The provider: where it answers, and what it says of whom."""

    url: str

    def knows(self, subject: str, email: str = "", **claims: Any) -> None:
        """Let the provider's tokens say this of a person; its own claims give way to these."""
        said = {"email": email, "email_verified": True, "name": subject.title()} | claims
        answer = requests.put(f"{self.url}/users/{quote(subject)}", json=said, timeout=10)
        assert answer.status_code == 204, answer.text

    def authorize(self, address: str, subject: str) -> str:
        """Sign in at the provider as this person; return where it sends the browser."""
        answer = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def deny(self, address: str) -> str:
        """Turn back at the provider's door."""
        data = {"action": "deny"}
        answer = requests.post(address, data=data, allow_redirects=False, timeout=10)
        # This provider forgets the state here, which RFC 6749 wants back (section 4.1.2.1).
        state = parse_qs(urlsplit(address).query)["state"][0]
        return f"{answer.headers['Location']}&state={state}"

    def come_back(self, client: Client, going: Any, subject: str) -> Any:
        """Follow a page that leads to the provider, sign in there, and come back."""
        return arrive(client, self.authorize(going.context["address"], subject))

    def sign_in(self, client: Client, subject: str, wanted: str = "") -> Any:
        """Press the button on the sign-in page, and come back."""
        going = client.post("/account/single-sign-on/start/", {"next": wanted})
        return self.come_back(client, going, subject)


def arrive(client: Client, address: str) -> Any:
    """Come back to the site at the address the provider gave."""
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}")


def said(response: Any) -> str:
    """Return the text of a page as people read it."""
    return re.sub(r"\s+", " ", html.unescape(response.content.decode()))


@pytest.fixture(scope="session")
def provider_process() -> Iterator[str]:
    """Start the provider, which lets anybody in as whom they like."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            requests.get(f"{url}/.well-known/openid-configuration", timeout=2)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The identity provider didn't start.")


@pytest.fixture
def provider(provider_process: str, settings: Any) -> Iterator[IdentityProvider]:
    """The provider, and a site that is set up for it."""
    cache.clear()
    settings.OIDC_ISSUER = provider_process
    settings.OIDC_CLIENT_ID = CLIENT_ID
    settings.OIDC_CLIENT_SECRET = "a secret"
    settings.OIDC_NAME = NAME
    yield IdentityProvider(provider_process)
    cache.clear()
