"""Setting the laboratory's rules of signing in: one function, one transaction, one audit event."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import models, transaction

from accounts import audit, emergency, policies, second_factor
from accounts.enums import Role
from accounts.exceptions import NotPermitted, ReasonMissing, WrongState
from accounts.models import User
from accounts.sign_in_policy import GROUP_ROLES, SignInPolicy, current_policy, lock_policies
from accounts.single_sign_on import provider


@dataclass(frozen=True, slots=True)
class Rules:
    """What a version of the policy says."""

    second_factor_roles: tuple[Role, ...] = ()
    signing_needs_second_factor: bool = False
    minimum_length: int = 12
    remembered_passwords: int = 0
    provider_factors: tuple[str, ...] = ()
    group_roles: Mapping[str, str] = field(default_factory=dict)
    admits_unknown: bool = False
    only_emergency_local: bool = False

    @classmethod
    def of(cls, policy: SignInPolicy) -> "Rules":
        """Return what a stored version says."""
        return cls(
            tuple(Role(role) for role in policy.second_factor_roles),
            policy.signing_needs_second_factor,
            policy.minimum_length,
            policy.remembered_passwords,
            tuple(policy.provider_factors),
            policy.group_roles,
            policy.admits_unknown,
            policy.only_emergency_local,
        )


@transaction.atomic
def set_sign_in_policy(*, actor: User, rules: Rules, reason: str) -> SignInPolicy:
    """Make these the rules from now on, with a reason; earlier versions stay to be read.

    Whoever has to have a second factor now, and hasn't, can do nothing else from the next page on.

    Raises:
        NotPermitted, ReasonMissing: the actor doesn't manage accounts, or gives no reason.
        WrongState: nothing changes, or nobody could get in if the provider fails.
    """
    _require(actor, reason)
    lock_policies()
    before = current_policy()
    if before.version and Rules.of(before) == rules:
        raise WrongState("These are the rules already.")
    _require_sense(rules)
    policy = SignInPolicy.objects.create(
        version=before.version + 1,
        **asdict(rules)
        | {
            "second_factor_roles": sorted(rules.second_factor_roles),
            "provider_factors": list(rules.provider_factors),
        },
        reason=reason.strip(),
        set_by=actor,
    )
    second_factor.keep_in_step(User.objects.people(), policy)
    audit.record(
        actor=actor,
        action="sign_in_policy.set",
        target=policy,
        before=asdict(Rules.of(before)),
        after=asdict(Rules.of(policy)),
        reason=reason,
    )
    return policy


@transaction.atomic
def require_new_passwords(*, actor: User, reason: str) -> int:
    """After an incident: end everybody's sessions and let nobody on with the old password.

    The actor is no exception. Who signs in at the provider alone has no password here to change,
    and only signs in again. Programs wait as well: tokens rest until their owner has a new
    password. Returns of how many people one is required.
    """
    _require(actor, reason)
    has_password = models.ExpressionWrapper(
        ~models.Q(password__startswith=UNUSABLE_PASSWORD_PREFIX), output_field=models.BooleanField()
    )
    people = User.objects.people().active()
    count = people.update(
        must_change_password=has_password, session_generation=models.F("session_generation") + 1
    )
    audit.record(
        actor=actor,
        action="sign_in_policy.new_passwords",
        target=None,
        after={"people": count},
        reason=reason,
    )
    return count


def _require_sense(rules: Rules) -> None:
    """Refuse rules under which people could come from nowhere, or nobody could come at all."""
    if rules.admits_unknown and not rules.group_roles:
        raise WrongState("People unknown here can come in by a group alone: give groups a role.")
    if set(rules.group_roles.values()) - set(GROUP_ROLES):
        raise WrongState("No group gives this role: consultants come by invitation.")
    if not rules.only_emergency_local:
        return
    if not provider.is_configured():
        raise WrongState("No identity provider is set up, so that nobody could sign in.")
    if not emergency.could_open().exists():
        raise WrongState(
            "First mark an active administrator with a second factor as an emergency account."
        )


def _require(actor: User, reason: str) -> None:
    if not policies.can_manage_users(actor):
        raise NotPermitted("Only those who manage accounts may do this.")
    if not reason.strip():
        raise ReasonMissing("Give a reason; it is kept in the audit trail.")
