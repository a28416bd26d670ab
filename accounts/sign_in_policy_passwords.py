"""Which passwords are taken: long enough, not common, unlike their owner, not used before.

After NIST SP 800-63B, section 3.1.1.2: length counts; a list of common passwords is held against
a new one; no rules of composition; nobody has to change a password because time passed.
"""

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from accounts.sign_in_policy import current_policy

MOST_CHARACTERS = 128
"""OWASP ASVS 4.0.3, 2.1.2."""


class FormerPassword(models.Model):
    """The hash of a password that somebody had, kept for as long as it may not come back."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="former_passwords"
    )
    password = models.CharField(max_length=128)
    set_at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "accounts"
        default_permissions = ()
        ordering = ("-set_at", "-pk")

    def __str__(self) -> str:
        return f"{self.user}, {self.set_at:%Y-%m-%d}"


class LongEnough:
    """Asks for the laboratory's least length; every character counts, spaces too."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Refuse what is shorter than the rules say."""
        least = current_policy().minimum_length
        if len(password) < least:
            raise ValidationError(
                f"This is too short: use at least {least} characters, best a few unrelated words.",
                code="password_too_short",
            )

    def get_help_text(self) -> str:
        """Say what is asked for."""
        least = current_policy().minimum_length
        return f"At least {least} characters; a few unrelated words are best."


class NotEndless:
    """Refuses what is longer than anybody types: a hash of megabytes would only cost time."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Refuse what is longer than `MOST_CHARACTERS`."""
        if len(password) > MOST_CHARACTERS:
            raise ValidationError(
                f"This is too long: use at most {MOST_CHARACTERS} characters.",
                code="password_too_long",
            )

    def get_help_text(self) -> str:
        """Say nothing: few people come near it."""
        return ""


class NotUsedBefore:
    """Refuses the last passwords of the same person, if the rules keep any in memory."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Refuse the password in use and those before it."""
        remembered = current_policy().remembered_passwords
        if not remembered or user is None or user.pk is None:
            return
        former = FormerPassword.objects.filter(user_id=user.pk)[:remembered]
        hashes = {user.password, *(one.password for one in former)}
        if any(check_password(password, one) for one in hashes):
            raise ValidationError(
                "You have used this password before. Choose another.", code="password_used_before"
            )

    def password_changed(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Keep the new hash, and no more than the rules remember."""
        remembered = current_policy().remembered_passwords
        if user is None or user.pk is None:
            return
        former = FormerPassword.objects.filter(user_id=user.pk)
        if remembered:
            FormerPassword.objects.create(user_id=user.pk, password=user.password)
        kept = list(former.values_list("pk", flat=True)[:remembered])
        former.exclude(pk__in=kept).delete()

    def get_help_text(self) -> str:
        """Say nothing where nothing is remembered."""
        remembered = current_policy().remembered_passwords
        return f"Not one of your last {remembered} passwords." if remembered else ""
