"""Permissions and roles: what each role may do, and their installation as Django groups."""

from typing import Any

from accounts.enums import Role

# Codename -> what it allows. Held by the table-less model Duty, hence "accounts.<codename>".
DUTIES: dict[str, str] = {
    "view_worklist": "Can see the worklist",
    "register_patient": "Can register and correct patients",
    "view_patient": "Can read patient records",
    "merge_patients": "Can merge patient records and take merges back",
    "submit_case": "Can open, complete and submit cases",
    "upload_image": "Can upload smear images",
    "review_case": "Can review and correct classified cases",
    "sign_off_case": "Can sign reports",
    "amend_report": "Can amend signed reports",
    "reject_case": "Can reject unsatisfactory specimens",
    "discuss_case": "Can comment on cases and mention colleagues",
    "give_opinion": "Can give an opinion on cases that are referred to them",
    "export_reports": "Can export lists of signed reports",
    "export_research": "Can export research data without identities",
    "record_callback": "Can record calls about critical results",
    "manage_models": "Can approve and activate model versions",
    "manage_laboratory": "Can change laboratory settings and reference intervals",
    "approve_limits": "Can approve the laboratory's limits and cut-offs",
    "manage_interfaces": "Can connect other systems and send messages again",
    "manage_users": "Can invite, change, deactivate and unlock accounts",
    "view_quality": "Can see turn-around, workload, drift, controls and agreement",
    "view_audit": "Can read the audit trail",
    "protect_patients": "Can restrict records and judge emergency access to them",
    "manage_retention": "Can set retention, put and lift legal holds, and dispose of records",
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
            "discuss_case",
            "record_callback",
        }
    ),
    Role.PATHOLOGIST: frozenset(
        {
            "view_worklist",
            "view_patient",
            "review_case",
            "sign_off_case",
            "amend_report",
            "record_callback",
            "approve_limits",
            "discuss_case",
            "give_opinion",
            "export_reports",
            "export_research",
            "view_quality",
        }
    ),
    # Administrators run the laboratory's system; they read cases but never sign one.
    Role.ADMINISTRATOR: frozenset(
        {
            "view_worklist",
            "view_patient",
            "merge_patients",
            "manage_models",
            "manage_laboratory",
            "manage_interfaces",
            "manage_users",
            "view_audit",
            "protect_patients",
            "manage_retention",
            "discuss_case",
            "export_reports",
            "export_research",
            "view_quality",
        }
    ),
    # Consultants come from outside and see nothing but what is referred to them, while it is.
    Role.CONSULTANT: frozenset({"give_opinion"}),
    # Learners see no patient until teaching sets without identifiers are given to them.
    Role.LEARNER: frozenset(),
}


ROLE_SUMMARIES: dict[Role, str] = {
    Role.TECHNICIAN: "registers patients, opens cases, uploads images, submits",
    Role.PATHOLOGIST: "reviews cases, corrects cells, signs and amends reports",
    Role.ADMINISTRATOR: (
        "manages accounts, models and settings, merges patient records, reads the audit trail"
    ),
    Role.CONSULTANT: "sees cases referred to them, without identity, and gives an opinion",
    Role.LEARNER: "sees no patients",
}

# What each duty opens, for those who give duties; beside what DUTIES says it allows.
DUTY_OPENS: dict[str, str] = {
    "view_worklist": "Worklist",
    "register_patient": "Patients: register, correct; orders and results that wait for a patient",
    "view_patient": "Patients, cases, images, reports, search; reading by programs",
    "merge_patients": (
        "Likely duplicates, merging two patient records, merges that other systems propose, "
        "taking a merge back"
    ),
    "submit_case": "New case, submit, take back, retry, cancel; labels",
    "upload_image": "Adding and removing images and slides",
    "review_case": "Review: open, name cells, grade, comment; second opinions; reference counts",
    "sign_off_case": "Sign-off of a case under review",
    "amend_report": "Amending a signed report, asking for its withdrawal",
    "reject_case": "Rejecting a specimen before review",
    "discuss_case": "Discussion of a case, mentions",
    "give_opinion": "Consultations that are referred to them",
    "export_reports": "Lists of reports as files",
    "export_research": "Research exports without identities",
    "record_callback": "Critical results: calls",
    "manage_models": "Models",
    "manage_laboratory": "Laboratory settings, report layout, withdrawals, copies and keys",
    "approve_limits": "Approving limits and cut-offs",
    "manage_interfaces": "Interfaces, messages, webhooks",
    "manage_users": "Users, permissions, access reviews",
    "view_quality": "Quality boards",
    "view_audit": "Audit trail",
    "manage_retention": "Retention rules, legal holds, disposal of records, copies of everything",
    "protect_patients": "Restricted records: the mark, who is named, emergency access",
}

# Duties that one person never holds together, and why; nothing given to a person may join them.
_DECIDING = frozenset(
    {"review_case", "sign_off_case", "amend_report", "approve_limits", "give_opinion"}
)
_RUNNING = frozenset(
    {"manage_users", "manage_laboratory", "manage_models", "manage_interfaces", "view_audit"}
)
_PREPARING = frozenset({"register_patient", "submit_case", "upload_image"})
APART: tuple[tuple[frozenset[str], frozenset[str], str], ...] = (
    (_DECIDING, _RUNNING, "Who runs the laboratory's system never signs, nor the other way round."),
    (_DECIDING, _PREPARING, "Four eyes: who prepares cases doesn't read and sign them."),
    (_PREPARING, _RUNNING, "Who runs the laboratory's system does no clinical work."),
)
# Bound to the role: given and withheld by changing the role alone.
ROLE_BOUND: frozenset[str] = frozenset({"manage_users"})
# Roles to which nothing is added: outside people see what is referred to them, learners nobody.
CLOSED_ROLES: frozenset[Role] = frozenset({Role.CONSULTANT, Role.LEARNER})


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
