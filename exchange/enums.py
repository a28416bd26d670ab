"""Closed vocabularies of the exchange with other systems."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Charset(models.TextChoices):
    """The character set of messages, as MSH-18 names it (HL7 table 0211)."""

    UTF_8 = "UNICODE UTF-8", _("UTF-8")
    LATIN_1 = "8859/1", _("ISO 8859-1, Western European")
    LATIN_2 = "8859/2", _("ISO 8859-2, Central European")
    LATIN_9 = "8859/15", _("ISO 8859-15, Western European with euro")
    ASCII = "ASCII", _("ASCII")


class AckMode(models.TextChoices):
    """What a receiver answers: what became of the message, or first that it is safely stored."""

    ORIGINAL = "original", _("Original: AA, AE, AR once it was processed")
    ENHANCED = "enhanced", _("Enhanced: CA, CE, CR once it was stored")


class OutboundState(models.TextChoices):
    """Where an outgoing message stands."""

    QUEUED = "queued", _("Waiting")
    IN_FLIGHT = "in_flight", _("Being sent")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Rejected by the receiver")
    DEAD = "dead", _("Given up")
    UNSENDABLE = "unsendable", _("Could not be written")
    SET_ASIDE = "set_aside", _("Set aside")
    REPLACED = "replaced", _("Written anew")


WAITING_STATES = (OutboundState.QUEUED, OutboundState.IN_FLIGHT)
PARKED_STATES = (OutboundState.REJECTED, OutboundState.DEAD, OutboundState.UNSENDABLE)
"""Nothing happens to these until a person decides."""
FINISHED_STATES = (OutboundState.ACCEPTED, OutboundState.SET_ASIDE, OutboundState.REPLACED)
"""Later messages of the same case may follow these."""


class DeliveryStep(models.TextChoices):
    """What happened to a message, one row each."""

    SENDING = "sending", _("Sending")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Rejected with an error")
    REFUSED = "refused", _("Refused for now")
    UNREACHABLE = "unreachable", _("Receiver not reached")
    NO_ANSWER = "no_answer", _("No answer")
    GARBLED = "garbled", _("Answer not understood")
    UNMATCHED = "unmatched", _("Answer to another message")
    INTERRUPTED = "interrupted", _("The sender stopped before the answer was recorded")
    GIVEN_UP = "given_up", _("Given up")
    REPLAYED = "replayed", _("To be sent again")
    SET_ASIDE = "set_aside", _("Set aside")
    REPLACED = "replaced", _("Written anew")


class SenderKind(models.TextChoices):
    """What a system that sends is to the laboratory."""

    ORDERS = "orders", _("Sends orders")
    ANALYSER = "analyser", _("Analyser")


class Protocol(models.TextChoices):
    """In what form messages come in."""

    HL7 = "hl7", _("HL7 v2 over MLLP")
    ASTM = "astm", _("ASTM E1394 / LIS2-A2")


class IncomingCharset(models.TextChoices):
    """The character set of messages whose MSH-18 is empty (names of HL7 table 0211)."""

    ASCII = "ASCII", _("ASCII")
    UTF_8 = "UNICODE UTF-8", _("UTF-8")
    LATIN_1 = "8859/1", _("ISO 8859-1, Western European")
    LATIN_2 = "8859/2", _("ISO 8859-2, Central European")
    LATIN_9 = "8859/15", _("ISO 8859-15, Western European with euro")


class IncomingOutcome(models.TextChoices):
    """What became of a message that came in."""

    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")
    PARKED = "parked", _("Waits for a person")


class SettlementKind(models.TextChoices):
    """How a person settled a message that waited."""

    PROCESSED = "processed", _("Processed again")
    MATCHED = "matched", _("Matched to a case")
    DISMISSED = "dismissed", _("Dismissed")


class WebhookContent(models.TextChoices):
    """What a webhook carries."""

    REFERENCE = "reference", _("Ids and links, no identities")
    BUNDLE = "bundle", _("The report as a FHIR transaction, with identities")


class WebhookState(models.TextChoices):
    """Where a delivery of a webhook stands."""

    QUEUED = "queued", _("Waiting")
    SENDING = "sending", _("Being sent")
    DELIVERED = "delivered", _("Delivered")
    DEAD = "dead", _("Given up")
