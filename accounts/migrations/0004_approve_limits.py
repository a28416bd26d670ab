"""The duty to approve limits and cut-offs, for pathologists."""

from django.db import migrations

from accounts.roles import DUTIES, install_roles


def install(apps, schema_editor):
    install_roles(apps)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_roles_and_system_user")]
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
