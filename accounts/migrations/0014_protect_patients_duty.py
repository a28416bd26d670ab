"""Roles with the duty of restricting records and judging emergency access to them."""

from typing import Any

from django.db import migrations

from accounts.roles import DUTIES, install_roles


def install(apps: Any, schema_editor: Any) -> None:
    install_roles(apps)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_single_sign_on")]

    operations = [
        migrations.AlterModelOptions(
            name="duty",
            options={
                "default_permissions": (),
                "managed": False,
                "permissions": tuple(DUTIES.items()),
            },
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
