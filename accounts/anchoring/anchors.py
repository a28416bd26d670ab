"""Writing the day's anchor: what the trail's head is, signed by the laboratory's audit key."""

from datetime import UTC

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.anchoring.keys import KeyRefused, current_key, lock_anchoring
from accounts.anchoring.models import AuditAnchor
from accounts.anchoring.statements import GENESIS, canonical, digest, sign
from accounts.chain import Verdict, verify_since
from accounts.models import AuditEvent, User

REFUSED = "audit.anchor_refused"


@transaction.atomic
def anchor_today() -> AuditAnchor | None:
    """Anchor the trail, once a day (UTC); nothing happens where the day has its anchor.

    What was added since the anchor before is verified first: a broken trail is never signed.
    Such a day stays without anchor, and administrators are told, once.
    """
    lock_anchoring()
    before = AuditAnchor.objects.order_by("-number").first()
    if before is not None and before.day >= timezone.now().astimezone(UTC).date():
        return None
    sequence, head = (before.sequence, before.head) if before else (0, GENESIS)
    verdict = verify_since(sequence=sequence, head=head)
    if not verdict.is_sound:
        _refuse("The trail is not sound.", verdict)
        return None
    try:
        return _sign(before, verdict)
    except KeyRefused as refusal:
        _refuse(str(refusal), verdict)
        return None


def _sign(before: AuditAnchor | None, verdict: Verdict) -> AuditAnchor:
    key, private = current_key()
    at = timezone.now().astimezone(UTC)
    number = before.number + 1 if before else 1
    sequence = (before.sequence if before else 0) + verdict.count
    payload = canonical(
        {
            "kind": "anchor",
            "number": number,
            "day": at.date().isoformat(),
            "at": at.isoformat(timespec="microseconds"),
            "sequence": sequence,
            "count": sequence,
            "head": verdict.head,
            "previous": digest(before.payload) if before else GENESIS,
            "key": key.fingerprint,
        }
    )
    anchor = AuditAnchor.objects.create(
        number=number,
        day=at.date(),
        at=at,
        sequence=sequence,
        head=verdict.head,
        key=key,
        payload=payload,
        signature=sign(private, payload),
    )
    after = {"number": number, "sequence": sequence, "head": verdict.head}
    audit.record(actor=User.system(), action="audit.anchored", target=anchor, after=after)
    return anchor


def _refuse(reason: str, verdict: Verdict) -> None:
    """Say once a day that no anchor was written, and why."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if AuditEvent.objects.filter(action=REFUSED).since(today).exists():
        return
    after = {"findings": len(verdict.findings), "first": "".join(verdict.findings[:1])}
    audit.record(actor=User.system(), action=REFUSED, target=None, after=after, reason=reason)
