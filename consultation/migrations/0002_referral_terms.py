"""Each change of the time for which a consultant sees a case."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('consultation', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReferralTerm',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('former', models.DateTimeField(help_text='until when it would have lasted')),
                ('expires_at', models.DateTimeField(help_text='until when it lasts since')),
                ('reason', models.CharField(blank=True, max_length=250)),
                ('changed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('referral', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='terms', to='consultation.referral')),
            ],
            options={
                'ordering': ['changed_at', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('former', models.F('expires_at')), _negated=True), name='referral_term_changes_something')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='referralterm',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='39412e34038dedf25a55ad31cc0568c57103d9b1', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_7ea0a', table='consultation_referralterm', when='BEFORE')),
        ),
    ]
