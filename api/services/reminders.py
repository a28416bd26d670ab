"""Telling owners before their tokens end, so that no program stops unannounced."""

import uuid
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import AuditEvent, User
from api.models import ApiToken

AHEAD: Final = timedelta(days=14)
SHARE: Final = 4
"""A token of a short life is told of when this part of its life is left."""
ACTION: Final = "api_token.ends_soon"


def remind_owners() -> int:
    """Record once of each token that its end is near; its owner is told. Return how many."""
    soon = ApiToken.objects.living().filter(expires_at__lte=timezone.now() + AHEAD)
    return sum(_remind(token.pk) for token in soon if _is_time(token))


def _is_time(token: ApiToken) -> bool:
    ahead = min(AHEAD, (token.expires_at - token.created_at) / SHARE)
    return token.expires_at - ahead <= timezone.now()


@transaction.atomic
def _remind(token_id: uuid.UUID) -> bool:
    token = ApiToken.objects.select_for_update(of=("self",)).get(pk=token_id)
    told = AuditEvent.objects.filter(
        target_type="api.apitoken", target_id=str(token.pk), action=ACTION
    )
    if not token.is_living or told.exists():
        return False
    after = {"name": token.name, "expires_at": token.expires_at}
    record(actor=User.system(), action=ACTION, target=token, after=after)
    return True
