"""The systems that receive the laboratory's results."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from classifier.models.protection import NEVER_DELETED
from exchange.enums import AckMode, Charset
from exchange.querysets import PeerQuerySet
from reports.enums import ReportStatus

# HD.1 and MSH-3 to 6: what fits into a namespace id and needs no escaping.
NAMESPACE = RegexValidator(r"^[A-Za-z0-9_.\-]*$", "Letters, digits, dot, hyphen and underscore.")
FILE_NAME = RegexValidator(r"^[A-Za-z0-9_\-][A-Za-z0-9_.\-]*$", "The name of a file, no folder.")


def all_statuses() -> list[str]:
    """Return every status that a report can have."""
    return list(ReportStatus.values)


class Peer(models.Model):
    """A system that receives results: its address, its names, how it wants to be met.

    TLS verifies the receiver's name against ``ca_certificate`` (the system's authorities if
    empty). ``client_identity`` names a file with certificate and key; keys stay out of the
    database. The last three columns say how the receiver was found, and are the sender's.
    """

    name = models.CharField(max_length=60, unique=True)
    is_active = models.BooleanField(default=False)
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(65535)])
    uses_tls = models.BooleanField("TLS", default=True)
    server_name = models.CharField(
        max_length=253, blank=True, help_text="On its certificate, if that isn't the host."
    )
    ca_certificate = models.TextField("certificate authority", blank=True, help_text="PEM")
    client_identity = models.CharField(
        "own certificate", max_length=60, blank=True, validators=[FILE_NAME]
    )
    own_application = models.CharField(
        "we are: application", max_length=20, default="HEMATOVISION", validators=[NAMESPACE]
    )
    own_facility = models.CharField(
        "we are: facility", max_length=20, default="HVLAB", blank=True, validators=[NAMESPACE]
    )
    application = models.CharField(max_length=20, blank=True, validators=[NAMESPACE])
    facility = models.CharField(max_length=20, blank=True, validators=[NAMESPACE])
    charset = models.CharField(max_length=16, choices=Charset.choices, default=Charset.UTF_8)
    ack_mode = models.CharField(
        "acknowledgement", max_length=8, choices=AckMode.choices, default=AckMode.ORIGINAL
    )
    report_statuses = ArrayField(models.CharField(max_length=16), default=all_statuses)
    results_from = models.DateTimeField(default=timezone.now)
    includes_pdf = models.BooleanField("send the PDF", default=True)
    sends_snomed = models.BooleanField("SNOMED CT", default=False)
    answer_seconds = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(600)]
    )
    most_attempts = models.PositiveSmallIntegerField(
        default=8, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    first_pause_seconds = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(3600)]
    )
    longest_pause_seconds = models.PositiveIntegerField(
        default=900, validators=[MinValueValidator(1), MaxValueValidator(86400)]
    )
    unreachable_since = models.DateTimeField(null=True, editable=False)
    contact_failures = models.PositiveIntegerField(default=0, editable=False)
    contact_after = models.DateTimeField(null=True, editable=False)

    objects = PeerQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(host=""), name="peer_has_an_address"),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("exchange:peer", args=[self.pk])

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the peer."""
        return f"peer {self.name}"
