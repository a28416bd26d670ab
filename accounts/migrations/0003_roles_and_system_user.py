"""Roles as groups with their permissions, and the account workers act as."""

from typing import Any

from django.db import migrations

from accounts.roles import install_roles, install_system_user


def install(apps: Any, schema_editor: Any) -> None:
    install_roles(apps)
    install_system_user(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_audit_rules"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
