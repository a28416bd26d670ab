"""Permissions and roles: what each role may do, and their installation as Django groups."""

from typing import Any

from accounts.enums import Role

# Codename -> what it allows. Held by the table-less model Duty, hence "accounts.<codename>".
DUTIES: dict[str, str] = {
    "view_worklist": "Can see the worklist",
    "register_patient": "Can register and correct patients",
    "view_patient": "Can read patient records",
    "submit_case": "Can open, complete and submit cases",
    "upload_image": "Can upload smear images",
    "review_case": "Can review and correct classified cases",
    "sign_off_case": "Can sign reports",
    "amend_report": "Can amend signed reports",
    "reject_case": "Can reject unsatisfactory specimens",
    "manage_models": "Can approve and activate model versions",
    "manage_laboratory": "Can change laboratory settings and reference intervals",
    "manage_users": "Can invite, change, deactivate and unlock accounts",
    "view_audit": "Can read the audit trail",
}

ROLE_DUTIES: dict[Role, frozenset[str]] = {
    Role.TECHNICIAN: frozenset(
        {
            "view_worklist",
            "register_patient",
            "view_patient",
            "submit_case",
            "upload_image",
            "reject_case",
        }
    ),
    Role.PATHOLOGIST: frozenset(
        {
            "view_worklist",
            "view_patient",
            "review_case",
            "sign_off_case",
            "amend_report",
        }
    ),
    # Administrators run the laboratory's system; they read cases but never sign one.
    Role.ADMINISTRATOR: frozenset(
        {
            "view_worklist",
            "view_patient",
            "manage_models",
            "manage_laboratory",
            "manage_users",
            "view_audit",
        }
    ),
    # Consultants come from outside; until a case can be referred to them, they see none.
    Role.CONSULTANT: frozenset(),
    # Learners see no patient until teaching sets without identifiers are given to them.
    Role.LEARNER: frozenset(),
}


ROLE_SUMMARIES: dict[Role, str] = {
    Role.TECHNICIAN: "registers patients, opens cases, uploads images, submits",
    Role.PATHOLOGIST: "reviews cases, corrects cells, signs and amends reports",
    Role.ADMINISTRATOR: "manages accounts, models and settings, reads the audit trail",
    Role.CONSULTANT: "sees no case until one is referred",
    Role.LEARNER: "sees no patients",
}


def install_roles(apps: Any) -> None:
    """Make permissions and groups match this module; safe to repeat.

    Permission rows are made here because Django makes them only after all migrations ran.
    """
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="accounts", model="duty"
    )
    permission_model = apps.get_model("auth", "Permission")
    permissions = {
        codename: permission_model.objects.update_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )[0]
        for codename, name in DUTIES.items()
    }
    group_model = apps.get_model("auth", "Group")
    for role, duties in ROLE_DUTIES.items():
        group, _ = group_model.objects.get_or_create(name=role.value)
        group.permissions.set([permissions[codename] for codename in sorted(duties)])


def install_system_user(apps: Any) -> None:
    """Seed the account that workers act as; it can never sign in. Safe to repeat."""
    apps.get_model("accounts", "User").objects.get_or_create(
        is_system=True,
        defaults={
            "email": "system@hematovision.invalid",
            "full_name": "HematoVision",
            "password": "!system-account-cannot-sign-in",
            "is_active": False,
        },
    )
