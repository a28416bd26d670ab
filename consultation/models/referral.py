"""A case shown to one consultant for a while, and what the consultant thinks of it."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from classifier.models import Case
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from consultation.enums import ReferralState
from consultation.querysets import ReferralQuerySet


class Referral(models.Model):
    """One case referred to one consultant, with a question, until it expires or is withdrawn.

    The patient's identity and the clinical details are shown only where the referrer said so.
    `is_latest` is False once withdrawn, or once the case was referred again after expiry.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="referrals")
    referred_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="referrals_made"
    )
    consultant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="referrals"
    )
    is_outside = models.BooleanField(help_text="the consultant was not of the laboratory")
    question = models.TextField()
    shows_identity = models.BooleanField(default=False)
    shows_clinical_details = models.BooleanField(default=False)
    prints_opinion = models.BooleanField(
        default=False, help_text="the signed report prints the opinion's text"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    first_opened_at = models.DateTimeField(null=True)
    answer_read_at = models.DateTimeField(null=True, help_text="by the referrer")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    withdrawal_reason = models.CharField(max_length=250, blank=True)
    is_latest = models.BooleanField(default=True)

    objects = ReferralQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "consultant"],
                condition=Q(is_latest=True),
                name="referral_one_open_per_consultant",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False, is_latest=False)
                & ~Q(withdrawal_reason=""),
                name="referral_withdrawn_by_somebody_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="referral_expires_after_it_began"
            ),
            models.CheckConstraint(
                condition=~Q(referred_by=F("consultant")), name="referral_is_to_somebody_else"
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"consultation {self.reference}"

    @property
    def reference(self) -> str:
        """A few letters to speak of the referral without naming case or patient."""
        return str(self.pk)[:8]

    @property
    def audit_label(self) -> str:
        """What the audit trail calls the referral."""
        return str(self)

    @property
    def ended_at(self) -> datetime | None:
        """When the consultant lost sight of the case; None while it is in sight."""
        if self.withdrawn_at is not None:
            return min(self.withdrawn_at, self.expires_at)
        return self.expires_at if self.expires_at <= timezone.now() else None

    @property
    def is_open(self) -> bool:
        """True while the consultant sees the case."""
        return self.ended_at is None

    @property
    def state(self) -> ReferralState:
        """Where the referral stands now; `opinions` are best prefetched."""
        if self.opinions.all():
            return ReferralState.ANSWERED
        if self.withdrawn_at is not None:
            return ReferralState.WITHDRAWN
        if not self.is_open:
            return ReferralState.EXPIRED
        return ReferralState.OPENED if self.first_opened_at else ReferralState.SENT

    @property
    def is_awaited(self) -> bool:
        """True while an opinion may still come and none has."""
        return self.state in (ReferralState.SENT, ReferralState.OPENED)


class ReferralTerm(models.Model):
    """One change of the time for which a consultant sees a case; rows are only added."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="terms")
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    former = models.DateTimeField(help_text="until when it would have lasted")
    expires_at = models.DateTimeField(help_text="until when it lasts since")
    reason = models.CharField(max_length=250, blank=True)

    class Meta:
        ordering = ["changed_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(former=F("expires_at")), name="referral_term_changes_something"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.referral} until {self.expires_at}"

    @property
    def is_extension(self) -> bool:
        """True if the consultant sees the case for longer than before."""
        return self.expires_at > self.former


class Opinion(models.Model):
    """What a consultant thinks, never changed: what is added later is a further row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="opinions")
    text = models.TextField()
    diagnosis = models.TextField(blank=True)
    impressions = models.JSONField(default=dict, blank=True, help_text="class: words on its cells")
    author_name = models.CharField(max_length=250, help_text="as it was when the opinion was given")
    given_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["given_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="opinion_says_something"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"opinion of {self.author_name}"

    @property
    def quotation(self) -> str:
        """How the interpretation quotes it: never without its author's name."""
        given = timezone.localtime(self.given_at)
        said = f"{self.text}\n{self.diagnosis}".strip()
        return f"Opinion of {self.author_name}, {given.day} {given:%b %Y}: “{said}”"


class OpinionDraft(models.Model):
    """What the consultant is writing, seen by nobody else; empty once it was given."""

    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="draft")
    text = models.TextField(blank=True)
    diagnosis = models.TextField(blank=True)
    impressions = models.JSONField(default=dict, blank=True)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"draft of {self.referral}"
