"""Bands of ages for reference intervals, and limits of change.

The limits of change are a starting point, unconfirmed until a named person approves them: ISLH
compares with results up to 72 hours old; 50 % is customary for the white count.
"""

from datetime import date
from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


SOURCE = "Starting point: ISLH 72-hour rules; 50 % as customary for the WBC count"
ANALYTES = (
    "wbc",
    "neutrophil",
    "lymphocyte",
    "monocyte",
    "eosinophil",
    "basophil",
    "immature_granulocyte",
    "blast",
    "atypical_lymphocyte",
    "plasma_cell",
)


def add_delta_limits(apps, schema_editor):
    limit = apps.get_model("classifier", "DeltaLimit")
    for analyte in ANALYTES:
        limit.objects.create(
            analyte=analyte,
            percent=Decimal(50),
            source=SOURCE,
            effective_from=date(2026, 1, 1),
        )


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0004_whole_slides'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DeltaLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('analyte', models.CharField(choices=[('wbc', 'Leukocytes (WBC)'), ('neutrophil', 'Neutrophil'), ('lymphocyte', 'Lymphocyte'), ('monocyte', 'Monocyte'), ('eosinophil', 'Eosinophil'), ('basophil', 'Basophil'), ('immature_granulocyte', 'Immature granulocyte'), ('blast', 'Blast'), ('atypical_lymphocyte', 'Atypical lymphocyte'), ('plasma_cell', 'Plasma cell')], max_length=24)),
                ('window_hours', models.PositiveSmallIntegerField(default=72)),
                ('percent', models.DecimalField(decimal_places=1, max_digits=6)),
                ('source', models.CharField(max_length=250)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('effective_from', models.DateField()),
                ('approved_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['analyte', '-version'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='referenceinterval',
            name='reference_interval_version_unique',
        ),
        migrations.RenameField(
            model_name='referenceinterval',
            old_name='from_age_years',
            new_name='from_age',
        ),
        migrations.AddField(
            model_name='laboratory',
            name='adult_from_years',
            field=models.PositiveSmallIntegerField(default=16, help_text='Completed years. Younger patients are held only against reference intervals that a named person has approved.', verbose_name='adults from age'),
        ),
        migrations.AddField(
            model_name='referenceinterval',
            name='age_unit',
            field=models.CharField(choices=[('years', 'years'), ('days', 'days')], default='years', max_length=8),
        ),
        migrations.AddField(
            model_name='referenceinterval',
            name='to_age',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='below age'),
        ),
        migrations.AddConstraint(
            model_name='referenceinterval',
            constraint=models.UniqueConstraint(fields=('cell_type', 'quantity', 'sex', 'age_unit', 'from_age', 'version'), name='reference_interval_version_unique'),
        ),
        migrations.AddConstraint(
            model_name='referenceinterval',
            constraint=models.CheckConstraint(condition=models.Q(('to_age', None), ('to_age__gt', models.F('from_age')), _connector='OR'), name='reference_interval_ages_ordered'),
        ),
        migrations.AddConstraint(
            model_name='referenceinterval',
            constraint=models.CheckConstraint(condition=models.Q(('age_unit__in', ['years', 'days'])), name='reference_interval_age_unit_known_value'),
        ),
        migrations.AddField(
            model_name='deltalimit',
            name='approved_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='deltalimit',
            constraint=models.UniqueConstraint(fields=('analyte', 'version'), name='delta_limit_version_unique'),
        ),
        migrations.AddConstraint(
            model_name='deltalimit',
            constraint=models.CheckConstraint(condition=models.Q(('percent__gt', 0), ('window_hours__gt', 0)), name='delta_limit_is_positive'),
        ),
        migrations.RunPython(add_delta_limits, migrations.RunPython.noop),
    ]
