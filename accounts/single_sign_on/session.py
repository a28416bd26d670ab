"""What a session remembers of the provider that opened it."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.models import User
from accounts.sign_in_policy import current_policy
from accounts.single_sign_on.provider import Identity

_KEY = "sso"


def gives_factor(identity: Identity) -> bool:
    """Tell whether the provider asked for what the laboratory takes as a second factor."""
    return bool(set(identity.factors) & set(current_policy().provider_factors))


def note(request: HttpRequest, user: User, identity: Identity) -> None:
    """Remember that the provider let this person in."""
    request.session[_KEY] = {"user": user.pk, "has_factor": gives_factor(identity)}
    request.sso_arriving = True  # type: ignore[attr-defined]


def is_arriving(request: HttpRequest, *, with_factor: bool = False) -> bool:
    """Tell whether this very request brings somebody from the provider, with a factor if asked."""
    arrives: bool = getattr(request, "sso_arriving", False)
    return arrives and (not with_factor or request.session[_KEY]["has_factor"])


def forget(request: HttpRequest) -> None:
    """Forget it, as another way in is taken."""
    request.session.pop(_KEY, None)


def came_by_provider(request: HttpRequest) -> bool:
    """Tell whether the person signed in came from the provider."""
    return bool(_noted(request, request.user))


def came_by_provider_as(request: HttpRequest, user: User) -> bool:
    """Tell the same of a person who is only being signed in."""
    return bool(_noted(request, user))


def has_factor(request: HttpRequest, user: User | AnonymousUser | None = None) -> bool:
    """Tell whether they brought a second factor from there."""
    return bool(_noted(request, user or request.user).get("has_factor"))


def _noted(request: HttpRequest, user: User | AnonymousUser) -> dict[str, Any]:
    noted: dict[str, Any] = request.session.get(_KEY, {}) if hasattr(request, "session") else {}
    return noted if noted.get("user") == user.pk and user.pk is not None else {}
