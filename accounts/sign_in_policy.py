"""How people sign in here: the laboratory's own rules, one version after another."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Q

from accounts.enums import Role

SHORTEST_PASSWORD = 8
LONGEST_MINIMUM = 64
MOST_REMEMBERED = 24
# What a group at the provider may make of somebody; consultants come by invitation alone.
GROUP_ROLES = tuple(role for role in Role if role != Role.CONSULTANT)


class SignInPolicy(models.Model):
    """One version of the rules, with who set it, when and why. Never changed and never deleted.

    The newest version holds. Until somebody sets one, the defaults of these columns do, and
    `FIRST_SECOND_FACTOR_ROLES` of the settings.
    """

    version = models.PositiveIntegerField(unique=True)
    second_factor_roles = ArrayField(
        models.CharField(max_length=16, choices=Role.choices), default=list, blank=True
    )
    signing_needs_second_factor = models.BooleanField(default=False)
    # Eight is the least of NIST SP 800-63B; the laboratory starts from twelve.
    minimum_length = models.PositiveSmallIntegerField(default=12)
    remembered_passwords = models.PositiveSmallIntegerField(default=0)
    # Values of the provider's "amr" and "acr" that the laboratory takes as a second factor.
    provider_factors = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    # Group at the provider -> role here; empty: roles are given here alone.
    group_roles = models.JSONField(default=dict, blank=True)
    admits_unknown = models.BooleanField(default=False)
    only_emergency_local = models.BooleanField(default=False)
    reason = models.TextField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "accounts"
        default_permissions = ()
        ordering = ("-version",)
        constraints = (
            models.CheckConstraint(
                name="sign_in_policy_length_in_range",
                condition=Q(minimum_length__range=(SHORTEST_PASSWORD, LONGEST_MINIMUM)),
            ),
            models.CheckConstraint(
                name="sign_in_policy_memory_in_range",
                condition=Q(remembered_passwords__lte=MOST_REMEMBERED),
            ),
            models.CheckConstraint(
                name="sign_in_policy_known_roles",
                condition=Q(second_factor_roles__contained_by=Role.values),
            ),
            models.CheckConstraint(
                name="sign_in_policy_unknown_need_groups",
                condition=Q(admits_unknown=False) | ~Q(group_roles={}),
            ),
        )
        triggers = (
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"Sign-in rules, version {self.version}"

    @property
    def audit_label(self) -> str:
        """How the audit trail names this version."""
        return f"version {self.version}"

    @property
    def role_labels(self) -> list[str]:
        """Who must have a second factor, for a reader."""
        return [str(Role(role).label) for role in self.second_factor_roles]

    @property
    def group_role_labels(self) -> dict[str, str]:
        """Which group at the provider gives which role, for a reader."""
        return {group: str(Role(role).label) for group, role in sorted(self.group_roles.items())}

    def demands_factor_of(self, role: Role | None) -> bool:
        """Say whether whoever holds a role must have a second factor."""
        return role is not None and role.value in self.second_factor_roles


def current_policy() -> SignInPolicy:
    """Return the rules that hold now; before anybody set some, those that the site came with."""
    first = SignInPolicy(version=0, second_factor_roles=list(settings.FIRST_SECOND_FACTOR_ROLES))
    return SignInPolicy.objects.first() or first


def lock_policies() -> None:
    """Let versions be made one after the other; readers wait for nobody."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_signinpolicy IN SHARE ROW EXCLUSIVE MODE")
