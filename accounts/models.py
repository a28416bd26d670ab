"""People who use the laboratory's system, and the append-only record of what they did."""

import uuid
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property

from accounts.access_models import (
    AccessDecision,
    AccessReview,
    AccessReviewLine,
    DutyException,
)
from accounts.anchoring.models import AnchorMail, AuditAnchor, AuditKey
from accounts.enums import AccountState, Role
from accounts.history.models import RowChange  # noqa: F401
from accounts.querysets import AuditEventQuerySet, UserQuerySet
from accounts.roles import DUTIES
from accounts.sign_in_policy import SignInPolicy
from accounts.sign_in_policy_passwords import FormerPassword
from accounts.single_sign_on.models import IdentityLink

__all__ = [
    "AccessDecision",
    "AccessReview",
    "AccessReviewLine",
    "AnchorMail",
    "AuditAnchor",
    "AuditEvent",
    "AuditKey",
    "AuditSeal",
    "Duty",
    "DutyException",
    "FormerPassword",
    "IdentityLink",
    "SignInPolicy",
    "User",
    "UserManager",
]


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Creates accounts and finds them by e-mail, whatever its case."""

    use_in_migrations = False

    def create_user(
        self,
        *,
        email: str,
        full_name: str,
        role: str,
        password: str | None = None,
        **fields: Any,
    ) -> "User":
        """Create an account with one role; without a password it cannot sign in."""
        user: User = self.model(email=email, full_name=full_name, **fields)
        if user.is_active and user.joined_at is None:
            user.joined_at = timezone.now()
        user.set_password(password)
        user.save(using=self._db)
        user.groups.set([Group.objects.get(name=Role(role).value)])
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find an account by its e-mail, ignoring case and surrounding space."""
        user: User = self.get(email=(username or "").strip().lower())
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person, or the system itself, known by e-mail. Deactivated, never deleted.

    Names are needed for as long as the records they signed, so nothing removes an account.
    """

    email = models.EmailField("e-mail", unique=True)
    full_name = models.CharField(max_length=150)
    title = models.CharField(
        "credentials",
        max_length=60,
        blank=True,
        help_text="Shown after the name, such as MD.",
    )
    is_active = models.BooleanField(default=True)
    is_system = models.BooleanField(default=False, editable=False)
    must_change_password = models.BooleanField(default=False)
    # Kept in step by accounts.second_factor: the rules demand a factor that this person hasn't.
    must_set_up_factor = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    joined_at = models.DateTimeField(null=True, blank=True, editable=False)
    deactivated_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Counts the times all sessions were ended; part of every session's hash.
    session_generation = models.PositiveIntegerField(default=0, editable=False)
    # Stays open at the site itself when passwords are closed to everybody else.
    is_emergency = models.BooleanField(default=False, editable=False)
    # Whether a duty was ever given or withheld; spares everybody else a query.
    has_own_duties = models.BooleanField(default=False, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    # Set while a program acts in this person's name, by a token.
    acts_by_program = False

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        default_permissions = ()
        ordering = ("full_name", "email")
        constraints = (
            models.CheckConstraint(name="user_email_lower_case", condition=Q(email=Lower("email"))),
            models.CheckConstraint(
                name="user_nobody_bypasses_permissions", condition=Q(is_superuser=False)
            ),
            models.CheckConstraint(
                name="user_deactivated_is_not_active",
                condition=Q(deactivated_at__isnull=True) | Q(is_active=False),
            ),
            models.CheckConstraint(
                name="user_system_cannot_sign_in",
                condition=Q(is_system=False) | Q(is_active=False),
            ),
            models.UniqueConstraint(
                name="user_one_system",
                fields=("is_system",),
                condition=Q(is_system=True),
            ),
        )

    def __str__(self) -> str:
        return self.full_name

    def get_absolute_url(self) -> str:
        return reverse("accounts:user_detail", args=[self.pk])

    @classmethod
    def system(cls) -> "User":
        """Return the seeded account that workers and schedules act as."""
        user: User = cls.objects.get(is_system=True)
        return user

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    @property
    def role(self) -> Role | None:
        """The one role held; the system and nobody else has none."""
        group = next(iter(self.groups.all()), None)
        return None if group is None else Role(group.name)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Tell whether the person holds a duty: by role, less what is withheld, and what is given.

        Like Django's own, the answer is kept for as long as this object is.
        """
        own = self._own_duties.get(perm.removeprefix("accounts.")) if self.has_own_duties else None
        return super().has_perm(perm, obj) if own is None else own and self.is_active

    @cached_property
    def _own_duties(self) -> dict[str, bool]:
        return dict(
            DutyException.objects.in_force().filter(user=self).values_list("duty", "is_granted")
        )

    @property
    def role_label(self) -> str:
        """The role's name for a reader."""
        return str(self.role.label) if self.role else "System"

    @property
    def state(self) -> AccountState:
        """Invited until first used, then active or deactivated."""
        if self.deactivated_at is not None:
            return AccountState.DEACTIVATED
        return AccountState.ACTIVE if self.is_active else AccountState.INVITED

    @property
    def name_with_title(self) -> str:
        """The printed name of a signature: ``Ada Example, MD``."""
        return f"{self.full_name}, {self.title}" if self.title else self.full_name

    @property
    def audit_label(self) -> str:
        """How the audit trail names this account."""
        return self.email

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name

    def get_session_auth_hash(self) -> str:
        """Tie sessions to the password and to the times all of them were ended."""
        return self._with_generation(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Same, for each retired secret key."""
        for digest in super().get_session_auth_fallback_hash():
            yield self._with_generation(digest)

    def _with_generation(self, digest: str) -> str:
        value = f"{digest}:{self.session_generation}"
        return salted_hmac("accounts.session", value, algorithm="sha256").hexdigest()


class Duty(models.Model):  # noqa: DJ008
    """Holder of the laboratory's permissions; it has no table."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = tuple(DUTIES.items())


class AuditEvent(models.Model):
    """One thing somebody did. Never changed and never deleted: the database refuses both.

    ``payload`` holds all columns as canonical JSON, fixed before insertion; seals hash it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="audit_events")
    actor_name = models.CharField(max_length=255)
    action = models.CharField(max_length=80, db_index=True)
    target_type = models.CharField(max_length=80, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(max_length=255, blank=True)
    patient_id = models.UUIDField(null=True, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    client_address = models.GenericIPAddressField(null=True, blank=True)
    # By what the actor acted if not in a session of their own: which token.
    means = models.CharField(max_length=120, blank=True, default="", db_default="")
    payload = models.TextField(editable=False)

    objects: ClassVar[Any] = AuditEventQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=("actor", "-at"), name="audit_actor_at"),
            models.Index(fields=("target_type", "target_id"), name="audit_target"),
            models.Index(fields=("patient_id", "-at"), name="audit_patient_at"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name} {self.action}"


class AuditSeal(models.Model):
    """A link of the hash chain over audit events, written by the database at commit.

    ``hash`` is SHA-256, in hexadecimal, of ``previous_hash`` followed by the event's payload.
    """

    GENESIS: ClassVar[str] = "0" * 64

    sequence = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="seal")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    # The transaction of the event, by which changed rows find it; older seals have none.
    transaction_id = models.BigIntegerField(null=True)
    transaction_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ("sequence",)
        indexes = (models.Index(fields=("transaction_id",), name="seal_transaction"),)

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash}"
