"""Setting the laboratory's rules of signing in: one function, one transaction, one audit event."""

from dataclasses import asdict, dataclass

from django.db import connection, models, transaction

from accounts import audit, policies, second_factor
from accounts.enums import Role
from accounts.exceptions import NotPermitted, ReasonMissing, WrongState
from accounts.models import User
from accounts.sign_in_policy import SignInPolicy, current_policy


@dataclass(frozen=True, slots=True)
class Rules:
    """What a version of the policy says."""

    second_factor_roles: tuple[Role, ...] = ()
    signing_needs_second_factor: bool = False
    minimum_length: int = 12
    remembered_passwords: int = 0

    @classmethod
    def of(cls, policy: SignInPolicy) -> "Rules":
        """Return what a stored version says."""
        return cls(
            tuple(Role(role) for role in policy.second_factor_roles),
            policy.signing_needs_second_factor,
            policy.minimum_length,
            policy.remembered_passwords,
        )


@transaction.atomic
def set_sign_in_policy(*, actor: User, rules: Rules, reason: str) -> SignInPolicy:
    """Make these the rules from now on, with a reason; earlier versions stay to be read.

    Whoever has to have a second factor now, and hasn't, can do nothing else from the next page on.
    """
    _require(actor, reason)
    _one_at_a_time()
    before = current_policy()
    if before.version and Rules.of(before) == rules:
        raise WrongState("These are the rules already.")
    policy = SignInPolicy.objects.create(
        version=before.version + 1,
        **asdict(rules) | {"second_factor_roles": sorted(rules.second_factor_roles)},
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

    The actor is no exception. Programs wait as well: tokens rest until their owner has a new
    password. Returns of how many people one is required.
    """
    _require(actor, reason)
    people = User.objects.people().active()
    count = people.update(
        must_change_password=True, session_generation=models.F("session_generation") + 1
    )
    audit.record(
        actor=actor,
        action="sign_in_policy.new_passwords",
        target=None,
        after={"people": count},
        reason=reason,
    )
    return count


def _require(actor: User, reason: str) -> None:
    if not policies.can_manage_users(actor):
        raise NotPermitted("Only those who manage accounts may do this.")
    if not reason.strip():
        raise ReasonMissing("Give a reason; it is kept in the audit trail.")


def _one_at_a_time() -> None:
    """Let versions be made one after the other; readers wait for nobody."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_signinpolicy IN SHARE ROW EXCLUSIVE MODE")
