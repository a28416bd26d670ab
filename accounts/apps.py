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
    "audit.anchored": "Audit trail anchored",
    "history.viewed": "Row history read",
    "audit.key_rotated": "Audit key changed",
    "audit.exported_whole": "Audit trail exported for verification",
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
    "user.duty_given": "Duty given to one person",
    "user.duty_withheld": "Duty withheld from one person",
    "user.duty_exception_ended": "Duty back to what the role says",
    "user.sessions_ended": "Logged off by an administrator",
    "user.own_session_ended": "Signed out of another session of one's own",
    "user.session_ended": "One session ended by an administrator",
    "sessions.all_ended": "Everybody logged off",
    "access_review.opened": "Access review opened",
    "access_review.decided": "Access reviewed",
    "access_review.finished": "Access review finished",
    "access_review.exported": "Access review exported",
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
    "user.recovery_code_used": "Recovery code used",
    "user.code_reused": "Code of the second factor given a second time, and refused",
    "user.mfa_renamed": "Security key renamed",
    "user.reauthentication_failed": "Confirmation of identity failed",
    "sso.connected": "Account connected with the identity provider",
    "sso.disconnected": "Account disconnected from the identity provider",
    "sso.admitted": "Account made for a group at the identity provider",
    "sso.refused": "Refused after signing in at the identity provider",
    "sso.confirmed": "Identity confirmed at the identity provider",
    "emergency.marked": "Made an emergency account",
    "emergency.unmarked": "No emergency account any more",
    "emergency.explained": "Said why the emergency account is used",
    "sign_in_policy.set": "Sign-in rules set",
    "sign_in_policy.new_passwords": "New passwords required of everybody",
}


class AccountsConfig(AppConfig):
    """Configuration of the accounts app."""

    name = "accounts"

    def ready(self) -> None:
        from accounts import alarms, audit, receivers  # noqa: F401, PLC0415
        from accounts.history import following  # noqa: PLC0415

        audit.register_actions(ACTIONS)
        audit.register_actions(alarms.ACTIONS)
        following.follow(
            following.Followed("accounts_user", ignored=("last_login",), secret=("password",)),
            following.Followed("accounts_user_groups"),
            following.Followed("accounts_identitylink"),
            following.Followed("accounts_dutyexception"),
            following.Followed("accounts_accessdecision"),
            following.Followed("accounts_signinpolicy"),
        )
        post_migrate.connect(keep_seeded_rows, sender=self)
        post_migrate.connect(keep_row_history, sender=self)


def keep_seeded_rows(apps: Any = installed_apps, **kwargs: Any) -> None:
    """Bring roles and the system account in step with the code after every migrate."""
    from accounts.roles import install_roles, install_system_user  # noqa: PLC0415

    try:
        apps.get_model("accounts", "User")
    except LookupError:
        return
    install_roles(apps)
    install_system_user(apps)


def keep_row_history(apps: Any = installed_apps, **kwargs: Any) -> None:
    """Bring the triggers of row history in step with what is followed, after every migrate."""
    from accounts.history.following import install_triggers  # noqa: PLC0415

    try:
        apps.get_model("accounts", "RowChange")
    except LookupError:
        return
    install_triggers()
