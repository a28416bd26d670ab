"""App configuration."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.db.models.signals import post_migrate

ACTIONS = {
    "patient.viewed": "Patient record read",
    "audit.viewed": "Audit trail read",
    "audit.exported": "Audit trail exported",
    "audit.verified": "Audit trail verified",
    "session.signed_in": "Signed in",
    "session.signed_out": "Signed out",
    "session.timed_out": "Signed out after inactivity",
    "session.sign_in_failed": "Sign-in failed",
    "session.locked_out": "Locked out after failed sign-ins",
    "user.invited": "Account invited",
    "user.invitation_renewed": "Invitation renewed",
    "user.joined": "Invitation accepted",
    "user.changed": "Account details changed",
    "user.role_changed": "Role changed",
    "user.deactivated": "Account deactivated",
    "user.reactivated": "Account reactivated",
    "user.unlocked": "Account unlocked",
    "user.password_required": "New password required",
    "user.password_changed": "Password changed",
    "user.password_reset": "Password reset",
    "user.password_link_issued": "Password link issued",
    "user.mfa_added": "Second factor added",
    "user.mfa_removed": "Second factor removed",
    "user.mfa_renewed": "Recovery codes renewed",
    "user.reauthentication_failed": "Password confirmation failed",
}


class AccountsConfig(AppConfig):
    """Configuration of the accounts app."""

    name = "accounts"

    def ready(self) -> None:
        from accounts import audit, receivers  # noqa: F401, PLC0415

        audit.register_actions(ACTIONS)
        post_migrate.connect(keep_seeded_rows, sender=self)


def keep_seeded_rows(apps: Any = installed_apps, **kwargs: Any) -> None:
    """Bring roles and the system account in step with the code after every migrate."""
    from accounts.roles import install_roles, install_system_user  # noqa: PLC0415

    try:
        apps.get_model("accounts", "User")
    except LookupError:
        return
    install_roles(apps)
    install_system_user(apps)
