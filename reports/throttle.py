"""How often one client may ask what anybody may ask."""

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from accounts.context import client_address_of

MOST_A_MINUTE = 30


def is_too_often(request: HttpRequest, *, what: str) -> bool:
    """Count this request of a client; say whether it is beyond `MOST_A_MINUTE` of its minute."""
    minute = int(timezone.now().timestamp() // 60)
    key = f"throttle:{what}:{client_address_of(request)}:{minute}"
    cache.add(key, 0, timeout=120)
    return cache.incr(key) > MOST_A_MINUTE
