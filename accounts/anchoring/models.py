"""The audit's keys, the anchors signed with them, and the mails that carried anchors out."""

from typing import ClassVar

from django.db import models


class AuditKey(models.Model):
    """A public key of the laboratory's audit; each but the first is signed by the one before.

    ``payload`` is the canonical JSON that ``signature`` signs. Never changed, never deleted.
    """

    number = models.PositiveIntegerField(primary_key=True)
    fingerprint = models.CharField(max_length=64, unique=True)
    payload = models.TextField()
    signature = models.CharField(max_length=128)
    made_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ("number",)

    def __str__(self) -> str:
        return f"audit key {self.number}"


class AuditAnchor(models.Model):
    """What the trail's head was on a day, signed. Never changed, never deleted.

    ``payload`` is the canonical JSON that ``signature`` signs; it names the anchor before.
    """

    number = models.PositiveIntegerField(primary_key=True)
    day = models.DateField(unique=True)
    at = models.DateTimeField()
    sequence = models.BigIntegerField()
    head = models.CharField(max_length=64)
    key = models.ForeignKey(AuditKey, on_delete=models.PROTECT, related_name="anchors")
    payload = models.TextField()
    signature = models.CharField(max_length=128)

    class Meta:
        default_permissions = ()
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"anchor {self.number}"

    @property
    def audit_label(self) -> str:
        """How the audit trail names this anchor: by its day."""
        return self.day.isoformat()


class AnchorMail(models.Model):
    """An anchor that was handed to the mail server for somebody outside."""

    anchor = models.ForeignKey(AuditAnchor, on_delete=models.PROTECT, related_name="mails")
    address = models.EmailField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = (
            models.UniqueConstraint(name="anchor_mailed_once", fields=("anchor", "address")),
        )

    def __str__(self) -> str:
        return f"{self.anchor} to {self.address}"
