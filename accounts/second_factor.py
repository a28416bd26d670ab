"""Second factors: who must have one, and who has which."""

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import audit
from accounts.models import User
from accounts.querysets import UserQuerySet
from accounts.sign_in_policy import SignInPolicy, current_policy

# What opens an account besides a password; recovery codes only stand in for these.
REAL_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


@dataclass(frozen=True, slots=True)
class Holding:
    """Which second factors a person holds."""

    has_app: bool
    keys: tuple[str, ...]
    codes_left: int

    @property
    def is_any(self) -> bool:
        """Whether there is one at all."""
        return self.has_app or bool(self.keys)

    def __str__(self) -> str:
        count = len(self.keys)
        parts = ["authenticator app"] if self.has_app else []
        parts += [f"{count} security key{'' if count == 1 else 's'}"] if count else []
        if not parts:
            return "off"
        plural = "" if self.codes_left == 1 else "s"
        return f"{', '.join(parts)}; {self.codes_left} recovery code{plural} left"


def holding_of(user: User) -> Holding:
    """Return which second factors a person has set up."""
    factors = list(Authenticator.objects.filter(user=user).order_by("pk"))
    left = [
        len(one.wrap().get_unused_codes())
        for one in factors
        if one.type == Authenticator.Type.RECOVERY_CODES
    ]
    return Holding(
        has_app=any(one.type == Authenticator.Type.TOTP for one in factors),
        keys=tuple(one.wrap().name for one in factors if one.type == Authenticator.Type.WEBAUTHN),
        codes_left=sum(left),
    )


def keep_in_step(people: "UserQuerySet | QuerySet[User]", policy: SignInPolicy) -> None:
    """Note of each person whether the rules demand a second factor that isn't there."""
    held = Authenticator.objects.filter(user=OuterRef("pk"), type__in=REAL_FACTORS)
    ids = set(people.values_list("pk", flat=True))
    lacking = set(
        User.objects.filter(
            ~Exists(held), pk__in=ids, is_system=False, groups__name__in=policy.second_factor_roles
        ).values_list("pk", flat=True)
    )
    User.objects.filter(pk__in=lacking, must_set_up_factor=False).update(must_set_up_factor=True)
    User.objects.filter(pk__in=ids - lacking, must_set_up_factor=True).update(
        must_set_up_factor=False
    )


def keep_person_in_step(user: User) -> None:
    """Do the same for one person; the object given is told as well."""
    keep_in_step(User.objects.filter(pk=user.pk), current_policy())
    user.refresh_from_db(fields=["must_set_up_factor"])


@transaction.atomic
def rename_key(key: Authenticator, *, name: str) -> Authenticator:
    """Give a security key another name, as its owner wishes."""
    before = key.data["name"]
    key.data["name"] = name
    key.save(update_fields=["data"])
    audit.record(
        actor=key.user,
        action="user.mfa_renamed",
        target=key.user,
        before={"name": before},
        after={"name": name},
    )
    return key
