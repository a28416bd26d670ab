"""Signed anchors of the audit trail, and the public keys they are signed with."""

import django.db.models.deletion
from django.db import migrations, models

TABLES = ("accounts_auditkey", "accounts_auditanchor", "accounts_anchormail")
PROTECT = "".join(
    f"""
CREATE TRIGGER anchoring_append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER anchoring_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
"""
    for table in TABLES
)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0008_quality_duty"),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditKey',
            fields=[
                ('number', models.PositiveIntegerField(primary_key=True, serialize=False)),
                ('fingerprint', models.CharField(max_length=64, unique=True)),
                ('payload', models.TextField()),
                ('signature', models.CharField(max_length=128)),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('number',),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AuditAnchor',
            fields=[
                ('number', models.PositiveIntegerField(primary_key=True, serialize=False)),
                ('day', models.DateField(unique=True)),
                ('at', models.DateTimeField()),
                ('sequence', models.BigIntegerField()),
                ('head', models.CharField(max_length=64)),
                ('payload', models.TextField()),
                ('signature', models.CharField(max_length=128)),
                ('key', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='anchors', to='accounts.auditkey')),
            ],
            options={
                'ordering': ('-number',),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AnchorMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.EmailField(max_length=254)),
                ('at', models.DateTimeField()),
                ('anchor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mails', to='accounts.auditanchor')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('anchor', 'address'), name='anchor_mailed_once')],
            },
        ),
        migrations.RunSQL(PROTECT, migrations.RunSQL.noop),
    ]
