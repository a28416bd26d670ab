"""Reference intervals of the white count and the platelets, beside those of the classes.

A starting point for adults, unconfirmed until a named person approves it. White count: typical
values of UK laboratories, chosen from PMC7082321, table 6. Platelets: the customary 150 to 400,
from general knowledge; hold it against your own population before approving it.
"""

from datetime import date
from decimal import Decimal

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

UK = "UK laboratories, typical values (PMC7082321, table 6)"
CUSTOMARY = "Customary adult values, from general knowledge: no study named"
INTERVALS = (("wbc", "4.0", "11.0", UK), ("platelet", "150", "400", CUSTOMARY))


def add_intervals(apps, schema_editor):
    interval = apps.get_model("classifier", "ReferenceInterval")
    for analyte, low, high, source in INTERVALS:
        interval.objects.create(
            analyte=analyte,
            quantity="absolute",
            low=Decimal(low),
            high=Decimal(high),
            source=source,
            effective_from=date(2026, 1, 1),
        )


class Migration(migrations.Migration):
    dependencies = [("classifier", "0014_traits")]
    operations = [
        migrations.RenameField("referenceinterval", "cell_type", "analyte"),
        migrations.AlterModelOptions(
            name='referenceinterval',
            options={'ordering': ['analyte', 'quantity', '-version']},
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='referenceinterval',
            name='never_edited',
        ),
        migrations.RemoveConstraint(
            model_name='referenceinterval',
            name='reference_interval_version_unique',
        ),
        migrations.AlterField(
            model_name='referenceinterval',
            name='analyte',
            field=models.CharField(choices=[('wbc', 'Leukocytes (WBC)'), ('platelet', 'Platelets (estimate)'), ('neutrophil', 'Neutrophil'), ('lymphocyte', 'Lymphocyte'), ('monocyte', 'Monocyte'), ('eosinophil', 'Eosinophil'), ('basophil', 'Basophil'), ('immature_granulocyte', 'Immature granulocyte'), ('blast', 'Blast'), ('atypical_lymphocyte', 'Atypical lymphocyte'), ('plasma_cell', 'Plasma cell')], max_length=24),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='referenceinterval',
            trigger=pgtrigger.compiler.Trigger(name='never_edited', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."age_unit" IS DISTINCT FROM (NEW."age_unit") OR OLD."analyte" IS DISTINCT FROM (NEW."analyte") OR OLD."effective_from" IS DISTINCT FROM (NEW."effective_from") OR OLD."from_age" IS DISTINCT FROM (NEW."from_age") OR OLD."high" IS DISTINCT FROM (NEW."high") OR OLD."low" IS DISTINCT FROM (NEW."low") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."quantity" IS DISTINCT FROM (NEW."quantity") OR OLD."sex" IS DISTINCT FROM (NEW."sex") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."to_age" IS DISTINCT FROM (NEW."to_age") OR OLD."version" IS DISTINCT FROM (NEW."version"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f8517ca858d31c40af2615ea57695f370a8032a0', operation='UPDATE', pgid='pgtrigger_never_edited_88166', table='classifier_referenceinterval', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='referenceinterval',
            constraint=models.UniqueConstraint(fields=('analyte', 'quantity', 'sex', 'age_unit', 'from_age', 'version'), name='reference_interval_version_unique'),
        ),
        migrations.AddConstraint(
            model_name='referenceinterval',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('analyte__in', ('wbc', 'platelet')), _negated=True), ('quantity', 'absolute'), _connector='OR'), name='reference_interval_counts_are_absolute'),
        ),
        migrations.RunPython(add_intervals, migrations.RunPython.noop),
    ]
