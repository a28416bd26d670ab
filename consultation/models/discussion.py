"""What members say of a case, a field or a cell; outside consultants never see it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from classifier.models import Case, Cell, SmearImage
from classifier.models.protection import APPEND_ONLY, NEVER_DELETED
from consultation.querysets import MentionQuerySet


class CaseComment(models.Model):
    """A remark on a case, or on one of its fields or cells; never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="comments")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="comments", null=True)
    image = models.ForeignKey(
        SmearImage, on_delete=models.PROTECT, related_name="comments", null=True
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="case_comments"
    )
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cell__isnull=True) | Q(image__isnull=True),
                name="comment_on_one_thing",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="comment_says_something"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"comment {self.pk}"


class Retraction(models.Model):
    """A comment taken back by its author: who and when stay visible, the words don't."""

    comment = models.OneToOneField(CaseComment, on_delete=models.PROTECT, related_name="retraction")
    retracted_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"retraction of {self.comment_id}"


class Mention(models.Model):
    """A colleague who is asked to read a comment."""

    comment = models.ForeignKey(CaseComment, on_delete=models.PROTECT, related_name="mentions")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="mentions"
    )
    read_at = models.DateTimeField(null=True)

    objects = MentionQuerySet.as_manager()

    class Meta:
        ordering = ["-comment__created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["comment", "user"], name="mention_once"),
        ]
        indexes = [
            models.Index(
                fields=["user"], condition=Q(read_at__isnull=True), name="mention_unread_of_user"
            ),
        ]
        triggers = NEVER_DELETED

    def __str__(self) -> str:
        return f"mention of {self.user_id} in {self.comment_id}"
