"""Who may hold which token; services ask before acting, pages before showing a button."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from api.enums import Scope

if TYPE_CHECKING:
    from accounts.models import User
    from api.models import ApiToken

# Each scope and the duty without which nobody has it. Services ask for more where more is needed.
SCOPE_DUTIES: Mapping[Scope, str] = {
    Scope.PATIENTS_READ: "view_patient",
    Scope.PATIENTS_WRITE: "register_patient",
    Scope.CASES_READ: "view_patient",
    Scope.CASES_WRITE: "submit_case",
    Scope.IMAGES_WRITE: "upload_image",
    Scope.RESULTS_READ: "view_patient",
    Scope.REVIEWS_WRITE: "review_case",
    Scope.EXPLANATIONS_WRITE: "view_patient",
    Scope.CALLS_WRITE: "record_callback",
    Scope.DISCUSSION_READ: "view_patient",
    Scope.DISCUSSION_WRITE: "discuss_case",
    Scope.REFERRALS_WRITE: "review_case",
    Scope.CONSULTATIONS_READ: "give_opinion",
    Scope.CONSULTATIONS_WRITE: "give_opinion",
    Scope.REPORTS_READ: "view_patient",
    Scope.MODELS_READ: "view_worklist",
    Scope.FHIR_READ: "view_patient",
}


def scopes_of(user: "User") -> tuple[Scope, ...]:
    """Return the scopes that the person's duties allow now."""
    return tuple(scope for scope, duty in SCOPE_DUTIES.items() if user.has_perm(f"accounts.{duty}"))


def can_hold_tokens(user: "User") -> bool:
    """Whoever has a duty that some scope stands for."""
    return bool(scopes_of(user))


def can_see_all_tokens(user: "User") -> bool:
    """Those who manage accounts."""
    return user.has_perm("accounts.manage_users")


def can_revoke(user: "User", token: "ApiToken") -> bool:
    """The owner, and those who manage accounts."""
    return token.owner_id == user.pk or can_see_all_tokens(user)


def may_use(token: "ApiToken", scope: Scope) -> bool:
    """True while the token has the scope and its owner still has the duty."""
    return scope in token.scopes and token.owner.has_perm(f"accounts.{SCOPE_DUTIES[scope]}")
