"""The ways in at the provider, and what was refused."""

from typing import Any

from django.test import Client

from accounts.models import AuditEvent, IdentityLink, User
from tests.identity_provider import IdentityProvider

START = "/account/single-sign-on/start/"

JOIN = "/account/single-sign-on/join/"

CONNECT = "/account/single-sign-on/"


def link(user: User, provider: IdentityProvider, subject: str) -> IdentityLink:
    return IdentityLink.objects.create(
        user=user, issuer=provider.url, subject=subject, email=user.email, origin="owner"
    )


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def refusals() -> list[Any]:
    events = AuditEvent.objects.filter(action="sso.refused").order_by("at")
    return [(event.after or {})["why"] for event in events]
