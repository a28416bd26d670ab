"""Every page of accounts for every role, and what each page may contain."""

import re
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver

from accounts import services, sign_in_urls, urls
from accounts.enums import Role
from accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.usefixtures("empty_cache")

EVERYBODY = frozenset({"stranger", *Role.values})
SIGNED_IN = frozenset(Role.values)
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR.value})
# Name -> method, path, who is served; strangers are sent to sign in, others refused.
PAGES: dict[str, tuple[str, str, frozenset[str]]] = {
    "users": ("get", "/administration/users/", ADMINISTRATORS),
    "user_invite": ("get", "/administration/users/invite/", ADMINISTRATORS),
    "user_detail": ("get", "/administration/users/{pk}/", ADMINISTRATORS),
    "user_action": ("get", "/administration/users/{pk}/{action}/", ADMINISTRATORS),
    "audit": ("get", "/administration/audit/", ADMINISTRATORS),
    "audit_export": ("get", "/administration/audit/export/", ADMINISTRATORS),
    "audit_verify": ("post", "/administration/audit/verify/", ADMINISTRATORS),
    "join": ("get", "{link}", EVERYBODY),
    "keep_alive": ("post", "/administration/keep-alive/", SIGNED_IN),
    "account_login": ("get", "/account/login/", frozenset({"stranger"})),
    "account_logout": ("get", "/account/logout/", SIGNED_IN),
    "account_reauthenticate": ("get", "/account/reauthenticate/", SIGNED_IN),
    "account_change_password": ("get", "/account/password/change/", SIGNED_IN),
    "account_reset_password": ("get", "/account/password/reset/", EVERYBODY),
    "account_reset_password_done": ("get", "/account/password/reset/done/", EVERYBODY),
    "account_reset_password_from_key": ("get", "/account/password/reset/key/1-x/", EVERYBODY),
    "account_reset_password_from_key_done": (
        "get",
        "/account/password/reset/key/done/",
        EVERYBODY,
    ),
    "mfa_index": ("get", "/account/2fa/", SIGNED_IN),
    # The rest need a step before: a started sign-in, a fresh password, a second factor.
    "mfa_authenticate": ("get", "/account/2fa/authenticate/", frozenset()),
    "mfa_reauthenticate": ("get", "/account/2fa/reauthenticate/", frozenset()),
    "mfa_activate_totp": ("get", "/account/2fa/totp/activate/", frozenset()),
    "mfa_deactivate_totp": ("get", "/account/2fa/totp/deactivate/", frozenset()),
    "mfa_view_recovery_codes": ("get", "/account/2fa/recovery-codes/", frozenset()),
    "mfa_generate_recovery_codes": ("get", "/account/2fa/recovery-codes/generate/", frozenset()),
    "mfa_download_recovery_codes": ("get", "/account/2fa/recovery-codes/download/", frozenset()),
}
ACTIONS = [
    "details",
    "role",
    "unlock",
    "password-link",
    "new-password",
    "remove-factor",
    "deactivate",
    "reactivate",
    "renew",
]


def _names(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern.url_patterns)
        else:
            yield str(pattern.name)


def test_every_page_is_listed_here() -> None:
    assert {*_names(urls.urlpatterns), *_names(sign_in_urls.urlpatterns)} == set(PAGES)


@pytest.fixture
def visit(db: None, client_for: Callable[[User], Client]) -> Callable[..., HttpResponse]:
    """Return a function that requests a page as a role."""
    account = UserFactory.create(full_name="Somebody Seen")

    def request(who: str, name: str, action: str = "deactivate") -> HttpResponse:
        client = Client() if who == "stranger" else client_for(UserFactory.create(role=who))
        method, path, _ = PAGES[name]
        link = ""
        if name == "join":
            link = services.invite_user(
                actor=User.system(), email="j@lab.example", full_name="J", role=Role.LEARNER
            ).link.removeprefix("http://127.0.0.1:8000")
        return getattr(client, method)(path.format(pk=account.pk, action=action, link=link))

    return request


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("who", ["stranger", *Role.values])
def test_serves_those_it_is_for(visit: Callable[..., HttpResponse], who: str, name: str) -> None:
    response = visit(who, name)
    if who in PAGES[name][2]:
        assert response.status_code in {200, 204}
    elif PAGES[name][2] == ADMINISTRATORS and who != "stranger":
        assert response.status_code == 403
    else:
        assert response.status_code in {302, 404}
        assert "Somebody Seen" not in response.content.decode()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("who", ["stranger", *Role.values])
def test_actions_are_for_administrators(
    visit: Callable[..., HttpResponse], who: str, action: str
) -> None:
    expected = {"stranger": 302, Role.ADMINISTRATOR: 200}.get(who, 403)
    assert visit(who, "user_action", action).status_code == expected


class _Markup(HTMLParser):
    """Collects what a strict content security policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.violations: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.violations.append(f"<{tag}>")
        self.violations += [n for n in names if n == "style" or re.fullmatch(r"on[a-z]+", n)]
        self.violations += [v for n, v in attrs if n == "src" and v and v.startswith("http")]


@pytest.mark.parametrize("name", PAGES)
def test_keeps_the_content_security_policy(visit: Callable[..., HttpResponse], name: str) -> None:
    who = "stranger" if name == "account_login" else Role.ADMINISTRATOR.value
    response = visit(who, name)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    if not response.streaming:
        markup = _Markup()
        markup.feed(response.content.decode())
        assert markup.violations == []


@pytest.mark.parametrize("action", ACTIONS)
def test_action_pages_keep_it_too(visit: Callable[..., HttpResponse], action: str) -> None:
    markup = _Markup()
    markup.feed(visit(Role.ADMINISTRATOR, "user_action", action).content.decode())
    assert markup.violations == []


def test_nobody_signs_up(client: Client, db: None) -> None:
    assert client.get("/account/signup/").status_code == 404
