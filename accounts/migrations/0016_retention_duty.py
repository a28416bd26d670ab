"""Roles with the duty of keeping records: retention, legal holds, disposal."""

from typing import Any

from django.db import migrations

from accounts.roles import DUTIES, install_roles


def install(apps: Any, schema_editor: Any) -> None:
    install_roles(apps)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0015_merge_duty")]

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
