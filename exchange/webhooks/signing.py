"""Signatures of webhooks, after the Standard Webhooks specification, version 1.

Signed are id, time and body, joined by dots, by HMAC-SHA256. The secret follows from the site's
SECRET_KEY, so that no copy of the database can sign; with another SECRET_KEY all are others.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from exchange.models import Webhook, WebhookDelivery

PREFIX = "whsec_"
OVERLAP = timedelta(hours=24)
"""How long after a renewal calls carry the signature of the old secret as well."""


def secret_text(webhook: Webhook) -> str:
    """Return the secret as its receiver gets it."""
    return PREFIX + base64.b64encode(_key(webhook, webhook.generation)).decode()


def signed_headers(delivery: WebhookDelivery, *, at: datetime) -> Mapping[str, str]:
    """Return the headers that prove a call: id, time in seconds, one signature for each secret."""
    webhook, stamp = delivery.webhook, str(int(at.timestamp()))
    generations = [webhook.generation]
    if webhook.renewed_at and at < webhook.renewed_at + OVERLAP:
        generations.append(webhook.generation - 1)
    said = f"{delivery.pk}.{stamp}.".encode() + bytes(delivery.body)
    signatures = (_sign(_key(webhook, number), said) for number in generations)
    return {
        "webhook-id": str(delivery.pk),
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def _sign(key: bytes, said: bytes) -> str:
    digest = hmac.new(key, said, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _key(webhook: Webhook, generation: int) -> bytes:
    value = f"{webhook.pk}:{generation}"
    return salted_hmac("exchange.webhooks", value, algorithm="sha256").digest()
