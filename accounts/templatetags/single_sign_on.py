"""What pages say about the identity provider."""

from typing import Any

from django import template
from django.conf import settings

from accounts.sign_in_policy import current_policy
from accounts.single_sign_on import confirming, provider, session

register = template.Library()


@register.simple_tag
def provider_name() -> str:
    """Return what the provider is called; empty where there is none."""
    name: str = settings.OIDC_NAME if provider.is_configured() else ""
    return name


@register.simple_tag
def local_is_closed() -> bool:
    """Tell whether only emergency accounts sign in at the site itself."""
    return current_policy().only_emergency_local


@register.inclusion_tag("accounts/partials/_sso_confirmation.html", takes_context=True)
def sso_confirmation(context: template.Context) -> dict[str, Any]:
    """Say, in a form that signs, that the provider confirms who it is; nothing to all others."""
    request = context["request"]
    if not session.came_by_provider(request):
        return {}
    return {"name": settings.OIDC_NAME, "given": confirming.given(request)}
