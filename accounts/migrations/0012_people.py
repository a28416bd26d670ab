"""Duties of single people, and reviews of who may do what."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0011_row_history'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='has_own_duties',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.CreateModel(
            name='AccessReview',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('due_on', models.DateField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('next_due_on', models.DateField(null=True)),
                ('finished_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-opened_at',),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AccessReviewLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('full_name', models.CharField(max_length=250)),
                ('email', models.EmailField(max_length=254)),
                ('state', models.CharField(max_length=20)),
                ('role', models.CharField(blank=True, max_length=40)),
                ('duties', models.JSONField(default=list)),
                ('given', models.JSONField(default=list)),
                ('withheld', models.JSONField(default=list)),
                ('last_login', models.DateTimeField(null=True)),
                ('has_second_factor', models.BooleanField()),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='accounts.accessreview')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('full_name', 'email'),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AccessDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('confirmed', 'Stays as it is'), ('changed', 'Was changed')], max_length=10)),
                ('reason', models.TextField()),
                ('decider_name', models.CharField(max_length=250)),
                ('decided_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='accounts.accessreviewline')),
            ],
            options={
                'ordering': ('pk',),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='DutyException',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('duty', models.CharField(max_length=60)),
                ('is_granted', models.BooleanField(help_text='given beyond the role; else withheld')),
                ('reason', models.TextField()),
                ('decided_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('end_reason', models.TextField(blank=True)),
                ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='duty_exceptions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-decided_at', '-pk'),
                'default_permissions': (),
            },
        ),
        migrations.AddConstraint(
            model_name='accessreview',
            constraint=models.UniqueConstraint(models.ExpressionWrapper(models.Q(('finished_at__isnull', True)), output_field=models.BooleanField()), condition=models.Q(('finished_at__isnull', True)), name='access_review_one_open'),
        ),
        migrations.AddConstraint(
            model_name='accessreview',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('finished_by__isnull', True), ('next_due_on__isnull', True)), models.Q(('finished_at__isnull', False), ('finished_by__isnull', False), ('next_due_on__isnull', False)), _connector='OR'), name='access_review_finished_by_somebody'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accessreview',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d31646121a97c4e3a8df05832a89835250259c4d', operation='DELETE', pgid='pgtrigger_never_deleted_7c0c6', table='accounts_accessreview', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accessreview',
            trigger=pgtrigger.compiler.Trigger(name='finished_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."finished_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b5b6cddbcc513d3ceea6823acde0497c1b0e97f7', operation='UPDATE', pgid='pgtrigger_finished_stays_8a527', table='accounts_accessreview', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='accessreviewline',
            constraint=models.UniqueConstraint(fields=('review', 'user'), name='access_review_line_once_an_account'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accessreviewline',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='65ecf4577fbe5d98d436d5173c9d4918ddd6a7ae', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_49cc9', table='accounts_accessreviewline', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='accessdecision',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ('confirmed', 'changed'))), name='access_decision_verdict_known'),
        ),
        migrations.AddConstraint(
            model_name='accessdecision',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='access_decision_has_a_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accessdecision',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='51afecc0dc1ec6c4d8591d5b53c1bddbe0f76861', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e0e07', table='accounts_accessdecision', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='dutyexception',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('user', 'duty'), name='duty_exception_one_open'),
        ),
        migrations.AddConstraint(
            model_name='dutyexception',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='duty_exception_ended_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='dutyexception',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__isnull', True), ('expires_at__gt', models.F('decided_at')), _connector='OR'), name='duty_exception_ends_after_it_began'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='dutyexception',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='6b606f773b5f45a1ad8a3067a615da32cb064599', operation='DELETE', pgid='pgtrigger_never_deleted_4eee8', table='accounts_dutyexception', when='BEFORE')),
        ),
    ]
