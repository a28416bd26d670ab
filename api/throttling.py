"""How often a token may ask: counted for each scope, by the minute."""

import time

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from api.models import ApiToken
from api.permissions import scope_of

WINDOW_SECONDS = 60


class ScopeThrottle(BaseThrottle):
    """So many requests a minute for each token and scope; all processes share the count.

    Without its counter the API goes on serving: a laboratory's work isn't stopped to count it.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request; False beyond the limit."""
        scope = scope_of(request, view)
        if scope is None or not isinstance(request.auth, ApiToken):
            return True
        kind = "read" if scope.endswith(":read") else "write"
        window = int(time.time()) // WINDOW_SECONDS
        key = f"api-rate:{request.auth.prefix}:{scope}:{window}"
        return _count(key) <= settings.API_REQUESTS_PER_MINUTE[kind]

    def wait(self) -> float:
        """Return the seconds until counting starts anew."""
        return WINDOW_SECONDS - time.time() % WINDOW_SECONDS


def _count(key: str) -> int:
    try:
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        return cache.incr(key)
    except (RedisError, ValueError):
        return 0
