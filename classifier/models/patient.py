"""The person whose blood is examined."""

import uuid

import pghistory
from django.conf import settings
from django.db import models
from django.urls import reverse

from classifier.enums import Sex
from classifier.models.protection import NEVER_DELETED
from classifier.querysets import PatientQuerySet


@pghistory.track()
class Patient(models.Model):
    """A person, known by a medical record number within its issuer.

    A record that was merged names the one that stands for it, which is never merged itself.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    mrn = models.CharField("medical record number", max_length=32)
    mrn_issuer = models.CharField("issuer", max_length=64)
    family_name = models.CharField(max_length=100)
    given_name = models.CharField(max_length=100)
    birth_date = models.DateField()
    sex = models.CharField(max_length=8, choices=Sex.choices)
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    registered_at = models.DateTimeField(auto_now_add=True)
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="absorbed", null=True, editable=False
    )

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["family_name", "given_name", "birth_date"]
        constraints = [
            models.UniqueConstraint(fields=["mrn_issuer", "mrn"], name="patient_mrn_unique"),
            models.CheckConstraint(
                condition=models.Q(sex__in=Sex.values), name="patient_sex_known_value"
            ),
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("pk")), name="patient_not_merged_into_self"
            ),
        ]
        indexes = [models.Index(fields=["family_name", "given_name", "birth_date"])]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"{self.family_name}, {self.given_name}"

    def get_absolute_url(self) -> str:
        return reverse("classifier:patient_detail", args=[self.pk])

    @property
    def standing(self) -> "Patient":
        """The record that stands for this person: this one, or the one it was merged into."""
        return self.merged_into or self
