"""Who may send to the laboratory, and what the codes that come in mean here."""

import ipaddress
import uuid
import zoneinfo

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from classifier.enums import Analyte
from classifier.models.protection import NEVER_DELETED
from exchange.enums import IncomingCharset, Protocol, SenderKind
from exchange.querysets import CodeQuerySet


def check_networks(text: str) -> None:
    """Refuse what is not a list of addresses or networks."""
    for part in text.split():
        try:
            ipaddress.ip_network(part)
        except ValueError as error:
            raise ValidationError(f"“{part}” is no address or network.") from error


def check_time_zone(name: str) -> None:
    """Refuse what is not the name of a time zone."""
    if name and name not in zoneinfo.available_timezones():
        raise ValidationError("This time zone is not known.")


@pghistory.track()
class Sender(models.Model):
    """A system whose messages are taken: how it is told apart, and what was agreed with it.

    A connection is taken from its `networks`, or with a client certificate of its
    `certificate_name`; where both are given, both must fit. `application` and `facility` are
    those of MSH-3 and MSH-4, an analyser's name of its header record; empty ones fit any.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=SenderKind.choices)
    protocol = models.CharField(max_length=5, choices=Protocol.choices, default=Protocol.HL7)
    application = models.CharField(
        max_length=60, blank=True, help_text="MSH-3, or the analyser's name in its header record."
    )
    facility = models.CharField(max_length=60, blank=True, help_text="MSH-4.")
    networks = models.CharField(
        "addresses",
        max_length=500,
        blank=True,
        validators=[check_networks],
        help_text="From where it connects: 10.1.2.3 or 10.1.0.0/16, separated by spaces.",
    )
    certificate_name = models.CharField(
        "name on its certificate",
        max_length=100,
        blank=True,
        help_text="Common name of the client certificate that it must show.",
    )
    mrn_issuer = models.CharField(
        "issuer of its record numbers",
        max_length=64,
        blank=True,
        help_text="Where a message names none (PID-3.4).",
    )
    charset = models.CharField(
        "character set",
        max_length=16,
        choices=IncomingCharset.choices,
        default=IncomingCharset.ASCII,
        help_text="Where a message names none (MSH-18).",
    )
    time_zone = models.CharField(
        max_length=60,
        blank=True,
        validators=[check_time_zone],
        help_text="Of times without an offset, such as Europe/Rome; the laboratory's if empty.",
    )
    takes_merges = models.BooleanField(
        "its merges of patient records wait for a decision here",
        default=False,
        db_default=False,
        help_text="ADT^A40. Somebody who merges patient records decides; else they are rejected.",
    )
    wants_plain_ack = models.BooleanField(
        "answer orders with ACK", default=False, help_text="Instead of ORL and ORR."
    )
    leaves_out_erythroblasts = models.BooleanField(
        "its white counts leave out nucleated red cells",
        default=False,
        help_text="If so, they are not corrected for them again.",
    )
    is_active = models.BooleanField("messages are taken", default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=SenderKind.values), name="sender_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(protocol=Protocol.HL7)
                | Q(protocol=Protocol.ASTM, kind=SenderKind.ANALYSER),
                name="sender_only_analysers_speak_astm",
                violation_error_message="Only analysers speak ASTM.",
            ),
            models.CheckConstraint(
                condition=Q(takes_merges=False) | Q(kind=SenderKind.ORDERS),
                name="sender_merges_come_with_orders",
                violation_error_message="Analysers merge no patient records.",
            ),
            models.CheckConstraint(
                condition=~Q(networks="") | ~Q(certificate_name=""),
                name="sender_is_told_apart",
                violation_error_message="Give its addresses or the name on its certificate.",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return self.name

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the sender."""
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """In what zone it means times without an offset."""
        return zoneinfo.ZoneInfo(self.time_zone or settings.TIME_ZONE)


class OrderCode(models.Model):
    """A code of a test that is done here; orders for other codes are refused.

    It holds once a second person has approved it. What the laboratory came with, and what was
    added before approval was asked for, has a time of approval and no name.
    """

    code = models.CharField(max_length=60)
    name = models.CharField(max_length=150)
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    retired_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )

    objects = CodeQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(retired_at=None, approved_at__isnull=False),
                name="order_code_once_in_use",
            ),
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(retired_at=None, approved_at=None),
                name="order_code_proposed_once",
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=F("added_by")), name="order_code_takes_two_people"
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return self.code

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the code."""
        return self.code


class AnalyteCode(models.Model):
    """What a code of an analyser measures, and in what unit where it names none.

    `factor` multiplies the value once its unit was converted; 1 for all but odd analysers. Rows
    without a sender hold for every sender that has none of its own for the code. It holds once a
    second person has approved it, as `OrderCode`.
    """

    sender = models.ForeignKey(
        Sender, on_delete=models.PROTECT, related_name="analyte_codes", null=True, blank=True
    )
    code = models.CharField(max_length=60)
    analyte = models.CharField(max_length=16, choices=Analyte.choices)
    unit = models.CharField(max_length=30, blank=True)
    factor = models.DecimalField(max_digits=12, decimal_places=6, default=1)
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    retired_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )

    objects = CodeQuerySet.as_manager()

    class Meta:
        ordering = ["analyte", "code"]
        constraints = [
            models.UniqueConstraint(
                "sender",
                Upper("code"),
                condition=Q(retired_at=None, approved_at__isnull=False),
                nulls_distinct=False,
                name="analyte_code_once_in_use",
            ),
            models.UniqueConstraint(
                "sender",
                Upper("code"),
                condition=Q(retired_at=None, approved_at=None),
                nulls_distinct=False,
                name="analyte_code_proposed_once",
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=F("added_by")), name="analyte_code_takes_two_people"
            ),
            models.CheckConstraint(
                condition=Q(analyte__in=Analyte.values), name="analyte_code_known_analyte"
            ),
            models.CheckConstraint(condition=Q(factor__gt=0), name="analyte_code_factor_positive"),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"{self.code}: {self.get_analyte_display()}"

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the code."""
        return self.code
