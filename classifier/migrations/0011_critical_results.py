"""Critical limits, alerts and calls; limits of all kinds get proposers, and are never edited.

The critical limits are examples from published lists, unconfirmed until a named person approves
them: North Bristol NHS Trust for neutrophils and platelets, Homerton for the white count, first
blasts as in several lists (South Tees).
"""

from datetime import date
from decimal import Decimal

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


BRISTOL = "Example: North Bristol NHS Trust, results to be telephoned"
HOMERTON = "Example: Homerton, results to be telephoned (2.0 or less, above 30)"
BLASTS = "Example: South Tees, first blasts or new acute leukaemia to be telephoned"
OUTSIDE = (
    ("wbc", "2.01", "30", HOMERTON),
    ("neutrophil", "0.5", "50", BRISTOL),
    ("platelet", "30", "1000", BRISTOL),
)
SINCE = date(2026, 1, 1)


def add_critical_limits(apps, schema_editor):
    limit = apps.get_model("classifier", "CriticalLimit")
    for analyte, low, high, source in OUTSIDE:
        limit.objects.create(
            analyte=analyte,
            rule="outside",
            quantity="absolute",
            low=Decimal(low),
            high=Decimal(high),
            source=source,
            effective_from=SINCE,
        )
    limit.objects.create(
        analyte="blast", rule="seen", known_days=90, source=BLASTS, effective_from=SINCE
    )


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0010_referral_days'),
        ('pghistory', '0007_auto_20250421_0444'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CriticalAlert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('raised_at', models.DateTimeField()),
                ('waiting_since', models.DateTimeField(null=True)),
                ('escalated_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['-raised_at'],
            },
        ),
        migrations.CreateModel(
            name='CriticalAlertEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('id', models.BigIntegerField()),
                ('raised_at', models.DateTimeField()),
                ('waiting_since', models.DateTimeField(null=True)),
                ('escalated_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='CriticalCall',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('caller_name', models.CharField(max_length=220)),
                ('called_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField(auto_now_add=True)),
                ('recipient_name', models.CharField(blank=True, max_length=150)),
                ('recipient_role', models.CharField(blank=True, max_length=100)),
                ('channel', models.CharField(choices=[('phone', 'Telephone'), ('in_person', 'In person'), ('pager', 'Pager'), ('message', 'Secure message')], max_length=12)),
                ('contact', models.CharField(blank=True, max_length=100)),
                ('outcome', models.CharField(choices=[('read_back', 'Told and read back'), ('not_read_back', 'Told, not read back'), ('not_reached', 'Nobody reached'), ('failed', 'Given up: could not be told')], max_length=16)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('note', models.CharField(blank=True, max_length=500)),
            ],
            options={
                'ordering': ['called_at', 'recorded_at'],
            },
        ),
        migrations.CreateModel(
            name='CriticalLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=250)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('effective_from', models.DateField()),
                ('proposed_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('approved_at', models.DateTimeField(null=True)),
                ('retired_at', models.DateTimeField(null=True)),
                ('retired_on', models.DateField(help_text='the first day on which it judges no more', null=True)),
                ('retired_because', models.CharField(blank=True, max_length=250)),
                ('sex', models.CharField(blank=True, choices=[('female', 'Female'), ('male', 'Male'), ('other', 'Other'), ('unknown', 'Unknown')], max_length=8)),
                ('age_unit', models.CharField(choices=[('years', 'years'), ('days', 'days')], default='years', max_length=8)),
                ('from_age', models.PositiveSmallIntegerField(default=0)),
                ('to_age', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='below age')),
                ('analyte', models.CharField(choices=[('wbc', 'Leukocytes (WBC)'), ('platelet', 'Platelets (estimate)'), ('neutrophil', 'Neutrophil'), ('lymphocyte', 'Lymphocyte'), ('monocyte', 'Monocyte'), ('eosinophil', 'Eosinophil'), ('basophil', 'Basophil'), ('immature_granulocyte', 'Immature granulocyte'), ('blast', 'Blast'), ('atypical_lymphocyte', 'Atypical lymphocyte'), ('plasma_cell', 'Plasma cell')], max_length=24)),
                ('rule', models.CharField(choices=[('outside', 'Value beyond a limit'), ('seen', 'Any cell of this class, named by a human')], default='outside', max_length=8)),
                ('quantity', models.CharField(blank=True, choices=[('percent', 'Percent of leukocytes'), ('absolute', 'Absolute count')], max_length=8)),
                ('low', models.DecimalField(decimal_places=2, max_digits=7, null=True, verbose_name='critical below')),
                ('high', models.DecimalField(decimal_places=2, max_digits=7, null=True, verbose_name='critical above')),
                ('known_days', models.PositiveSmallIntegerField(null=True, verbose_name='known for days')),
            ],
            options={
                'ordering': ['analyte', 'quantity', '-version'],
            },
        ),
        migrations.CreateModel(
            name='CriticalSnapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('findings', models.JSONField()),
                ('sha256', models.CharField(max_length=64)),
                ('taken_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddField(
            model_name='deltalimit',
            name='proposed_at',
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name='deltalimit',
            name='proposed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='deltalimit',
            name='retired_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='deltalimit',
            name='retired_because',
            field=models.CharField(blank=True, max_length=250),
        ),
        migrations.AddField(
            model_name='deltalimit',
            name='retired_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='deltalimit',
            name='retired_on',
            field=models.DateField(help_text='the first day on which it judges no more', null=True),
        ),
        migrations.AddField(
            model_name='laboratory',
            name='critical_due_minutes',
            field=models.PositiveSmallIntegerField(default=30, help_text='Minutes from the finding until somebody must have been told.', verbose_name='critical results: told within'),
        ),
        migrations.AddField(
            model_name='laboratory',
            name='critical_escalation_minutes',
            field=models.PositiveSmallIntegerField(default=60, help_text='Minutes until an untold critical result is passed on to the pathologists.', verbose_name='critical results: passed on after'),
        ),
        migrations.AddField(
            model_name='laboratory',
            name='escalation_email',
            field=models.EmailField(blank=True, help_text='Gets a message without patient data when a critical result is passed on.', max_length=254, verbose_name='escalation address'),
        ),
        migrations.AddField(
            model_name='referenceinterval',
            name='proposed_at',
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name='referenceinterval',
            name='proposed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='referenceinterval',
            name='retired_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='referenceinterval',
            name='retired_because',
            field=models.CharField(blank=True, max_length=250),
        ),
        migrations.AddField(
            model_name='referenceinterval',
            name='retired_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='referenceinterval',
            name='retired_on',
            field=models.DateField(help_text='the first day on which it judges no more', null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deltalimit',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e00714728a8c02e15a0bbaa3b6748e3057e2578c', operation='DELETE', pgid='pgtrigger_never_deleted_178ce', table='classifier_deltalimit', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deltalimit',
            trigger=pgtrigger.compiler.Trigger(name='never_edited', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."analyte" IS DISTINCT FROM (NEW."analyte") OR OLD."effective_from" IS DISTINCT FROM (NEW."effective_from") OR OLD."percent" IS DISTINCT FROM (NEW."percent") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."window_hours" IS DISTINCT FROM (NEW."window_hours"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5eef667e1facb1fa5bc4e2521bc8b42d725f015a', operation='UPDATE', pgid='pgtrigger_never_edited_d2d3f', table='classifier_deltalimit', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='referenceinterval',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e3e23faaa69d46a65e705152a139dc59a3a1962d', operation='DELETE', pgid='pgtrigger_never_deleted_2f849', table='classifier_referenceinterval', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='referenceinterval',
            trigger=pgtrigger.compiler.Trigger(name='never_edited', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."age_unit" IS DISTINCT FROM (NEW."age_unit") OR OLD."cell_type" IS DISTINCT FROM (NEW."cell_type") OR OLD."effective_from" IS DISTINCT FROM (NEW."effective_from") OR OLD."from_age" IS DISTINCT FROM (NEW."from_age") OR OLD."high" IS DISTINCT FROM (NEW."high") OR OLD."low" IS DISTINCT FROM (NEW."low") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."quantity" IS DISTINCT FROM (NEW."quantity") OR OLD."sex" IS DISTINCT FROM (NEW."sex") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."to_age" IS DISTINCT FROM (NEW."to_age") OR OLD."version" IS DISTINCT FROM (NEW."version"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7b79c1e11e83f211faa7363fed909257ec899187', operation='UPDATE', pgid='pgtrigger_never_edited_88166', table='classifier_referenceinterval', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='criticalalert',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='critical_alerts', to='classifier.case'),
        ),
        migrations.AddField(
            model_name='criticalalertevent',
            name='case',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='classifier.case'),
        ),
        migrations.AddField(
            model_name='criticalalertevent',
            name='pgh_context',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context'),
        ),
        migrations.AddField(
            model_name='criticalalertevent',
            name='pgh_obj',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='classifier.criticalalert'),
        ),
        migrations.AddField(
            model_name='criticalcall',
            name='alert',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='classifier.criticalalert'),
        ),
        migrations.AddField(
            model_name='criticalcall',
            name='called_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='criticallimit',
            name='approved_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='criticallimit',
            name='proposed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='criticallimit',
            name='retired_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='criticalsnapshot',
            name='alert',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='snapshots', to='classifier.criticalalert'),
        ),
        migrations.AddField(
            model_name='criticalcall',
            name='snapshot',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='classifier.criticalsnapshot'),
        ),
        migrations.AddIndex(
            model_name='criticalalert',
            index=models.Index(condition=models.Q(('waiting_since__isnull', False)), fields=['waiting_since'], name='critical_alert_waiting'),
        ),
        migrations.AddConstraint(
            model_name='criticalalert',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('case',), name='critical_alert_one_open'),
        ),
        migrations.AddConstraint(
            model_name='criticalalert',
            constraint=models.CheckConstraint(condition=models.Q(('closed_at__isnull', True), ('waiting_since__isnull', True), _connector='OR'), name='critical_alert_closed_waits_for_nobody'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criticalalert',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='bdefb1f9b07e68a2d62495d3740baee2c3fb814f', operation='DELETE', pgid='pgtrigger_never_deleted_1da38', table='classifier_criticalalert', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criticalalert',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "classifier_criticalalertevent" ("case_id", "closed_at", "escalated_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "raised_at", "waiting_since") VALUES (NEW."case_id", NEW."closed_at", NEW."escalated_at", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."raised_at", NEW."waiting_since"); RETURN NULL;', hash='8bf49cdb5f890591884a0030e77c265c27f524a3', operation='INSERT', pgid='pgtrigger_insert_insert_7f325', table='classifier_criticalalert', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criticalalert',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "classifier_criticalalertevent" ("case_id", "closed_at", "escalated_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "raised_at", "waiting_since") VALUES (NEW."case_id", NEW."closed_at", NEW."escalated_at", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."raised_at", NEW."waiting_since"); RETURN NULL;', hash='12bff7cb9155c2ebd4f88a5a457e781ed040beff', operation='UPDATE', pgid='pgtrigger_update_update_6c0a0', table='classifier_criticalalert', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='criticallimit',
            constraint=models.UniqueConstraint(fields=('analyte', 'rule', 'quantity', 'sex', 'age_unit', 'from_age', 'version'), name='critical_limit_version_unique'),
        ),
        migrations.AddConstraint(
            model_name='criticallimit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('high', None), ('low', None), ('quantity', ''), ('rule', 'seen')), models.Q(('known_days', None), ('quantity__in', ['percent', 'absolute']), ('rule', 'outside'), models.Q(('low__isnull', False), ('high__isnull', False), _connector='OR')), _connector='OR'), name='critical_limit_says_when'),
        ),
        migrations.AddConstraint(
            model_name='criticallimit',
            constraint=models.CheckConstraint(condition=models.Q(('low', None), ('high', None), ('low__lt', models.F('high')), _connector='OR'), name='critical_limit_ordered'),
        ),
        migrations.AddConstraint(
            model_name='criticallimit',
            constraint=models.CheckConstraint(condition=models.Q(('to_age', None), ('to_age__gt', models.F('from_age')), _connector='OR'), name='critical_limit_ages_ordered'),
        ),
        migrations.AddConstraint(
            model_name='criticallimit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('approved_by', None)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False)), _connector='OR'), name='critical_limit_approved_by_somebody'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criticallimit',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ad00c071239eb0dec3db5dd67070595ca892d98e', operation='DELETE', pgid='pgtrigger_never_deleted_886d3', table='classifier_criticallimit', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criticallimit',
            trigger=pgtrigger.compiler.Trigger(name='never_edited', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."age_unit" IS DISTINCT FROM (NEW."age_unit") OR OLD."analyte" IS DISTINCT FROM (NEW."analyte") OR OLD."effective_from" IS DISTINCT FROM (NEW."effective_from") OR OLD."from_age" IS DISTINCT FROM (NEW."from_age") OR OLD."high" IS DISTINCT FROM (NEW."high") OR OLD."known_days" IS DISTINCT FROM (NEW."known_days") OR OLD."low" IS DISTINCT FROM (NEW."low") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."quantity" IS DISTINCT FROM (NEW."quantity") OR OLD."rule" IS DISTINCT FROM (NEW."rule") OR OLD."sex" IS DISTINCT FROM (NEW."sex") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."to_age" IS DISTINCT FROM (NEW."to_age") OR OLD."version" IS DISTINCT FROM (NEW."version"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8576eadc551fc5c22370e227d1986829558e37c3', operation='UPDATE', pgid='pgtrigger_never_edited_af380', table='classifier_criticallimit', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criticalsnapshot',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f28cfbd7bce53fd517e3198be7b4f077d622db8b', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_212cf', table='classifier_criticalsnapshot', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='criticalcall',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['phone', 'in_person', 'pager', 'message']), ('outcome__in', ['read_back', 'not_read_back', 'not_reached', 'failed'])), name='critical_call_known_values'),
        ),
        migrations.AddConstraint(
            model_name='criticalcall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome__in', ['read_back', 'not_read_back']), _negated=True), models.Q(models.Q(('recipient_name', ''), _negated=True), models.Q(('recipient_role', ''), _negated=True)), _connector='OR'), name='critical_call_told_somebody'),
        ),
        migrations.AddConstraint(
            model_name='criticalcall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'failed'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='critical_call_failed_for_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='criticalcall',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='fdd652847ce91786b2e1b487e287cb95c6b6c458', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_bbfd3', table='classifier_criticalcall', when='BEFORE')),
        ),
        migrations.RunPython(add_critical_limits, migrations.RunPython.noop),
    ]
