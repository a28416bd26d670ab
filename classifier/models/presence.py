"""Who has a case on the screen right now; no clinical record, and forgotten by age."""

from django.conf import settings
from django.db import models

from classifier.models.case import Case


class Presence(models.Model):
    """One person at one case: since when, and when last heard of."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="presences")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["since", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "user"], name="presence_once_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.case_id}"
