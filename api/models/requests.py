"""What was answered to a request that may be sent again."""

from django.db import models

from api.models.tokens import ApiToken


class AnsweredRequest(models.Model):
    """The answer under an idempotency key, written in the transaction of the change itself.

    So it is there if and only if the change is, whenever a process dies. Kept for two days.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    target = models.CharField(max_length=200, help_text="method and path")
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)
    location = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "key"], name="answered_request_once_a_key")
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.status}"
