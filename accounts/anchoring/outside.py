"""Copies of anchors outside the database's reach: files in a folder, mails to people."""

import logging
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from accounts.anchoring.models import AnchorMail, AuditAnchor
from accounts.anchoring.statements import canonical

logger = logging.getLogger(__name__)

# Older ones were sent in their time; a new address gets what comes from now on.
MAILED_AGAIN_FOR = 7


class Copy(StrEnum):
    """How the copy in the folder outside compares with an anchor."""

    UNUSED = "no folder set"
    MISSING = "missing"
    SAME = "same"
    DIFFERS = "differs"


def text_of(anchor: AuditAnchor) -> str:
    """Return an anchor as it leaves: what was signed, and the signature."""
    return canonical({"payload": anchor.payload, "signature": anchor.signature}) + "\n"


def path_of(anchor: AuditAnchor) -> Path | None:
    """Return where the folder outside holds an anchor; None where no folder is set."""
    folder: Path | None = settings.AUDIT_ANCHOR_DIR
    return folder / f"anchor-{anchor.number:06d}-{anchor.day:%Y-%m-%d}.json" if folder else None


def compare(anchor: AuditAnchor) -> Copy:
    """Compare an anchor with its copy in the folder outside."""
    path = path_of(anchor)
    if path is None:
        return Copy.UNUSED
    try:
        return Copy.SAME if path.read_text() == text_of(anchor) else Copy.DIFFERS
    except OSError:
        return Copy.MISSING


def carry_out() -> None:
    """Bring anchors outside that are not there yet; what fails is tried again next time."""
    newest = list(AuditAnchor.objects.order_by("-number")[:MAILED_AGAIN_FOR])
    for anchor in reversed(newest):
        _write(anchor)
        if settings.MAIL_IS_CONFIGURED:
            for address in settings.AUDIT_ANCHOR_MAIL:
                _mail(anchor, address)


def _write(anchor: AuditAnchor) -> None:
    """Write the copy unless there is one; a copy is never written over."""
    path = path_of(anchor)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            file.write(text_of(anchor))
    except FileExistsError:
        return
    except OSError as error:
        logger.warning("An anchor of the audit trail could not be written outside: %s", error)


def _mail(anchor: AuditAnchor, address: str) -> None:
    if AnchorMail.objects.filter(anchor=anchor, address=address).exists():
        return
    subject = f"Anchor of the audit trail, {anchor.day}"
    body = (
        f"On {anchor.day} the laboratory's audit trail held {anchor.sequence} entries; its head "
        f"was {anchor.head}.\n\nKeep this mail: it proves what the trail was. To verify an export "
        "against it, save the next line as a file and give its folder as --anchors.\n\n"
    )
    try:
        send_mail(subject, body + text_of(anchor), None, [address])
    except OSError as error:
        logger.warning("An anchor of the audit trail could not be mailed: %s", error)
        return
    AnchorMail.objects.create(anchor=anchor, address=address, at=timezone.now())
