"""Kinds of records, from when their time counts, and units of time."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RecordType(TextChoices):
    """What the laboratory keeps, and says for how long."""

    CELL_IMAGES = "cell_images", _("Images of single cells")
    FIELD_IMAGES = "field_images", _("Images of fields")
    SLIDES = "slides", _("Whole slides")
    CASES = "cases", _("Cases with marks and grades")
    REPORTS = "reports", _("Signed reports")
    AUDIT_TRAIL = "audit_trail", _("Audit trail")
    MESSAGES_SENT = "messages_sent", _("Messages sent")
    MESSAGES_RECEIVED = "messages_received", _("Messages received")
    NOTICES = "notices", _("Notices")


OF_PICTURES = (RecordType.CELL_IMAGES, RecordType.FIELD_IMAGES, RecordType.SLIDES)
OF_MESSAGES = (RecordType.MESSAGES_SENT, RecordType.MESSAGES_RECEIVED)
DISPOSABLE = (*OF_PICTURES, *OF_MESSAGES)
"""What can be disposed of; of the others a rule is stated, and they stay."""


class CountsFrom(TextChoices):
    """The event from which a period counts."""

    SIGNED = "signed", _("signing of the last version")
    ENDED = "ended", _("rejection, cancellation or withdrawal")
    RECEIVED = "received", _("receipt of the specimen")
    WRITTEN = "written", _("being written, sent or received")


OF_CASES = (CountsFrom.SIGNED, CountsFrom.ENDED, CountsFrom.RECEIVED)
EVENTS: dict[RecordType, tuple[CountsFrom, ...]] = {
    RecordType.CELL_IMAGES: OF_CASES,
    RecordType.FIELD_IMAGES: OF_CASES,
    RecordType.SLIDES: OF_CASES,
    RecordType.CASES: OF_CASES,
    RecordType.REPORTS: (CountsFrom.SIGNED,),
    RecordType.AUDIT_TRAIL: (CountsFrom.WRITTEN,),
    RecordType.MESSAGES_SENT: (CountsFrom.WRITTEN,),
    RecordType.MESSAGES_RECEIVED: (CountsFrom.WRITTEN,),
    RecordType.NOTICES: (CountsFrom.WRITTEN,),
}
"""From which events the period of a kind of records may count."""


class ItemState(TextChoices):
    """How far the disposal of one image, slide or batch of messages is."""

    WAITING = "waiting", _("Waits")
    DECIDED = "decided", _("Disposed of, being erased")
    ERASED = "erased", _("Disposed of")
    KEPT = "kept", _("Held back")


class TimeUnit(TextChoices):
    """In what a period is said."""

    YEARS = "years", _("years")
    MONTHS = "months", _("months")
    DAYS = "days", _("days")


class CopyStatus(TextChoices):
    """How far a copy of everything about a patient is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    DELETED = "deleted", "Deleted"


UNFINISHED_COPY = (CopyStatus.QUEUED, CopyStatus.RUNNING)
