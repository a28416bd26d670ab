"""The second factor in a form that signs, and data for the scripts of security keys."""

import json
from typing import Any

from allauth.mfa.webauthn.internal.auth import begin_authentication
from django import template
from django.core.serializers.json import DjangoJSONEncoder

from accounts.second_factor import holding_of
from accounts.second_factor_signing import fresh_factor, signing_needs_factor
from accounts.single_sign_on import confirming
from accounts.single_sign_on.session import came_by_provider

register = template.Library()


@register.filter
def as_json(value: Any) -> str:
    """Return data for a script as the text of an attribute."""
    return json.dumps(value, cls=DjangoJSONEncoder)


@register.simple_tag
def second_factors(user: Any) -> Any:
    """Return which second factors a person holds."""
    return holding_of(user)


@register.inclusion_tag("accounts/partials/_second_factor.html", takes_context=True)
def second_factor_fields(context: template.Context) -> dict[str, Any]:
    """Ask for the second factor where signing needs one; nothing is shown where it doesn't.

    Who confirms at the provider gives one here only after that, and if the provider asked for none.
    """
    if not signing_needs_factor():
        return {}
    request = context["request"]
    confirmation = confirming.given(request) if came_by_provider(request) else None
    if came_by_provider(request) and (confirmation is None or confirmation.has_factor):
        return {}
    holding = holding_of(request.user)
    fresh = fresh_factor(request, request.user)
    has_options = bool(holding.keys) and fresh is None
    return {
        "is_needed": True,
        "holding": holding,
        "fresh": fresh,
        "options": begin_authentication(request.user) if has_options else None,
        "here": request.get_full_path(),
    }
