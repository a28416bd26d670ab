"""What other systems bring to the pages of the site: parked messages, the order of a case."""

from django import template

from accounts.models import User
from classifier.models import Case
from exchange.models import PlacedOrder
from exchange.selectors.pages import count_parked

register = template.Library()


@register.simple_tag
def parked_messages(user: User) -> int:
    """Return how many messages wait for a person; 0 for who may not decide about them."""
    return count_parked(user)


@register.simple_tag
def placed_order(case: Case) -> PlacedOrder | None:
    """Return the order of another system from which a case came; None if people opened it."""
    return PlacedOrder.objects.filter(case=case).select_related("sender").first()
