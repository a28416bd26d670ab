"""Records that few may open: the mark, who is named, who took a case up, who broke the glass."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from classifier.enums import EmergencyCause, EmergencyVerdict, RestrictionKind
from classifier.models.case import Case
from classifier.models.patient import Patient
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED


class Restriction(models.Model):
    """A mark on a patient: the record is open to those who take part in the care, until lifted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="restrictions")
    kind = models.CharField(max_length=16, choices=RestrictionKind.choices)
    reason = models.TextField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(default=timezone.now, editable=False)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-set_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(lifted_at__isnull=True),
                name="restriction_one_in_force",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=RestrictionKind.values), name="restriction_kind_known_value"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason="")),
                name="restriction_lifted_by_somebody",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"Restriction of {self.set_at:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("classifier:restriction", args=[self.pk])


class NamedPerson(models.Model):
    """Somebody whom the access list of a restricted record names, until taken off it."""

    restriction = models.ForeignKey(Restriction, on_delete=models.PROTECT, related_name="named")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    named_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-named_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["restriction", "user"],
                condition=Q(ended_at__isnull=True),
                name="named_person_once",
            ),
            models.CheckConstraint(
                condition=~Q(user=F("named_by")), name="named_person_by_somebody_else"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="named_person_ended_by_somebody",
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"{self.user_id} named in {self.restriction_id}"


class CaseTakeUp(models.Model):
    """Somebody took up a case of a restricted record from the worklist, to work on it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="take_ups")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    taken_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-taken_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "taken_by"], name="case_take_up_once"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.case_id} taken up by {self.taken_by_id}"


class EmergencyAccess(models.Model):
    """Somebody opened a restricted record in an emergency, for a limited time; it stays on record.

    `judge_by` is when somebody else must have said whether it was justified.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    cause = models.CharField(max_length=16, choices=EmergencyCause.choices)
    words = models.TextField()
    began_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_at = models.DateTimeField()
    judge_by = models.DateTimeField()

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cause__in=EmergencyCause.values), name="emergency_cause_known_value"
            ),
            models.CheckConstraint(condition=~Q(words=""), name="emergency_has_words"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("began_at"), judge_by__gt=F("began_at")),
                name="emergency_ends_after_it_began",
            ),
        ]
        indexes = [models.Index(fields=["opened_by", "ends_at"])]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"Emergency access of {self.began_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("classifier:emergency", args=[self.pk])

    @property
    def is_running(self) -> bool:
        """Tell whether it still opens the record."""
        return self.ends_at > timezone.now()


class EmergencyJudgement(models.Model):
    """What somebody else said of an emergency access afterwards."""

    access = models.OneToOneField(
        EmergencyAccess, on_delete=models.PROTECT, related_name="judgement"
    )
    verdict = models.CharField(max_length=16, choices=EmergencyVerdict.choices)
    words = models.TextField()
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    judged_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=EmergencyVerdict.values),
                name="emergency_verdict_known_value",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="emergency_judgement_has_words"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.access_id}: {self.verdict}"
