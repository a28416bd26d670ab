"""How the state of interfaces reaches every page of an administrator."""

from django import template

from accounts.models import User
from exchange.selectors.pages import count_parked

register = template.Library()


@register.simple_tag
def parked_messages(user: User) -> int:
    """Return how many messages wait for a person; 0 for who may not decide about them."""
    return count_parked(user)
