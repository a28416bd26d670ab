"""What pages need to know about sessions."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def idle_seconds() -> int:
    """Return after how many seconds without activity a session ends."""
    return settings.IDLE_LOGOUT_SECONDS


@register.simple_tag
def idle_minutes() -> int:
    """Return the same in minutes."""
    return settings.IDLE_LOGOUT_SECONDS // 60


@register.simple_tag
def mail_is_configured() -> bool:
    """Return whether the site can send mail."""
    return settings.MAIL_IS_CONFIGURED
