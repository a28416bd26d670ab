"""Graded morphology; the features and cut-offs of ICSH 2015, unconfirmed until approved.

The cut-offs were written from memory of Palmer et al., Int J Lab Hematol 2015;37:287-303: each
laboratory compares them with the printed tables before it approves them.
"""

import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from datetime import date
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


ICSH = "ICSH 2015 (Int J Lab Hematol 37:287-303), cut-offs to be checked against the tables"
BY_EYE = "Judged by eye; ICSH 2015 (Int J Lab Hematol 37:287-303) names the feature"

MOST = (None, "5", "20")
SIZE = (None, "11", "20")
FEW = (None, "1", "2")
INCLUSIONS = (None, "2", "3")
GRANULES = (None, "4", "8")
EYE = (None, None, None)

# Code, name, unit, cut-offs (1+ above, 2+ from, 3+ above), shown first, description.
FEATURES = {
    "red": (
        ("anisocytosis", "Anisocytosis", "red_cells", SIZE, True, "Red cells differ in size"),
        ("microcytes", "Microcytes", "red_cells", SIZE, True, "Smaller than the nucleus of a small lymphocyte"),
        ("macrocytes", "Macrocytes", "red_cells", SIZE, True, "Larger than usual, round"),
        ("hypochromic_cells", "Hypochromic cells", "red_cells", SIZE, True, "Central pallor over a third of the diameter"),
        ("polychromasia", "Polychromatic cells", "red_cells", MOST, True, "Blue-grey, mostly large"),
        ("schistocytes", "Schistocytes", "red_cells", ("0", "1", "2"), True, "Fragments: helmets, triangles, keratocytes, microspherocytes among them. Above 1 % suspicious of thrombotic microangiopathy (ICSH 2021)"),
        ("spherocytes", "Spherocytes", "red_cells", MOST, True, "Round, dense, without central pallor"),
        ("target_cells", "Target cells", "red_cells", MOST, True, "Haemoglobin in the middle of the pallor"),
        ("teardrop_cells", "Teardrop cells", "red_cells", MOST, True, "One end drawn out"),
        ("oval_macrocytes", "Oval macrocytes", "red_cells", (None, "2", "5"), False, "Large and oval"),
        ("acanthocytes", "Acanthocytes", "red_cells", MOST, False, "A few spicules of different length"),
        ("basophilic_stippling", "Basophilic stippling", "red_cells", MOST, False, "Fine or coarse blue granules"),
        ("bite_cells", "Bite cells", "red_cells", FEW, False, "A piece of the edge is missing"),
        ("blister_cells", "Blister cells", "red_cells", FEW, False, "Haemoglobin drawn back from one side"),
        ("echinocytes", "Echinocytes", "red_cells", MOST, False, "Even short spicules; often an artefact of storage"),
        ("elliptocytes", "Elliptocytes", "red_cells", MOST, False, "Long axis more than twice the short one"),
        ("howell_jolly_bodies", "Howell-Jolly bodies", "red_cells", INCLUSIONS, False, "One round, dense remnant of the nucleus"),
        ("irregularly_contracted_cells", "Irregularly contracted cells", "red_cells", FEW, False, "Small, dense, of uneven outline"),
        ("ovalocytes", "Ovalocytes", "red_cells", MOST, False, "Long axis less than twice the short one"),
        ("pappenheimer_bodies", "Pappenheimer bodies", "red_cells", INCLUSIONS, False, "Several small granules of iron near the edge"),
        ("sickle_cells", "Sickle cells", "red_cells", FEW, False, "Crescents with pointed ends"),
        ("stomatocytes", "Stomatocytes", "red_cells", MOST, False, "Central pallor as a slit"),
        ("agglutination", "Agglutination", "", EYE, False, "Red cells in clumps"),
        ("rouleaux", "Rouleaux", "", EYE, False, "Red cells stacked like coins"),
    ),
    "white": (
        ("toxic_granulation", "Toxic granulation", "neutrophils", GRANULES, True, "Coarse dark granules in neutrophils"),
        ("neutrophil_vacuolation", "Vacuolated neutrophils", "neutrophils", GRANULES, True, "Vacuoles in the cytoplasm"),
        ("doehle_bodies", "D\u00f6hle bodies", "neutrophils", (None, "2", "4"), True, "Pale blue patches near the edge"),
        ("hypogranular_neutrophils", "Hypogranular neutrophils", "neutrophils", GRANULES, True, "Granules few or missing"),
        ("hyposegmented_neutrophils", "Hyposegmented neutrophils", "", EYE, False, "Two lobes or one, chromatin ripe (Pelger form)"),
        ("hypersegmented_neutrophils", "Hypersegmented neutrophils", "", EYE, False, "Six lobes or more, or many with five"),
        ("auer_rods", "Auer rods", "", EYE, False, "Red needles in blasts"),
        ("reactive_lymphocytes", "Reactive lymphocytes", "", EYE, False, "Large, with much blue cytoplasm"),
        ("smudge_cells", "Smudge cells", "", EYE, False, "Burst nuclei without cytoplasm"),
    ),
    "platelet": (
        ("giant_platelets", "Giant platelets", "platelets", SIZE, True, "Larger than a red cell"),
        ("large_platelets", "Large platelets", "", EYE, True, "Larger than usual, smaller than a red cell"),
        ("hypogranular_platelets", "Hypogranular platelets", "", EYE, True, "Pale, grey"),
        ("platelet_satellitism", "Platelet satellitism", "", EYE, False, "Platelets round neutrophils; EDTA"),
    ),
}


def add_features(apps, schema_editor):
    feature = apps.get_model("classifier", "MorphologyFeature")
    for line, rows in FEATURES.items():
        for position, (code, name, unit, cut_offs, is_common, description) in enumerate(rows):
            one, two, three = (Decimal(value) if value else None for value in cut_offs)
            feature.objects.create(
                code=code,
                name=name,
                line=line,
                unit=unit,
                one_above=one,
                two_from=two,
                three_above=three,
                description=description,
                source=ICSH if unit else BY_EYE,
                is_common=is_common,
                position=10 * (position + 1),
                effective_from=date(2026, 1, 1),
            )


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0008_confusion_of_accepted'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MorphologyFeature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=40)),
                ('name', models.CharField(max_length=60)),
                ('line', models.CharField(choices=[('red', 'Red cells'), ('white', 'White cells'), ('platelet', 'Platelets')], max_length=8, verbose_name='cell line')),
                ('unit', models.CharField(blank=True, choices=[('red_cells', '% of red cells'), ('white_cells', '% of white cells'), ('neutrophils', '% of neutrophils'), ('lymphocytes', '% of lymphocytes'), ('platelets', '% of platelets')], help_text='Empty if the grade is judged by eye; then there are no cut-offs.', max_length=12, verbose_name='counted in')),
                ('one_above', models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))], verbose_name='1+ above')),
                ('two_from', models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))], verbose_name='2+ from')),
                ('three_above', models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))], verbose_name='3+ above')),
                ('description', models.CharField(blank=True, max_length=250)),
                ('source', models.CharField(max_length=250)),
                ('is_common', models.BooleanField(default=False, help_text='Every film is checked for it.', verbose_name='shown first')),
                ('position', models.PositiveSmallIntegerField(default=100)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('effective_from', models.DateField()),
                ('proposed_at', models.DateTimeField(auto_now_add=True)),
                ('approved_at', models.DateTimeField(null=True)),
                ('retired_at', models.DateTimeField(null=True)),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('retired_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['position', 'name', '-version'],
            },
        ),
        migrations.CreateModel(
            name='MorphologyFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grade', models.PositiveSmallIntegerField(null=True)),
                ('count', models.DecimalField(decimal_places=2, help_text="in the feature's unit", max_digits=5, null=True)),
                ('is_overruled', models.BooleanField(default=False, help_text='the grade is not the one that follows from the count')),
                ('comment', models.CharField(blank=True, max_length=250)),
                ('is_withdrawn', models.BooleanField(default=False)),
                ('action_id', models.UUIDField(default=uuid.uuid4)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('feature', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='classifier.morphologyfeature')),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='morphology', to='classifier.review')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='morphologyfeature',
            constraint=models.UniqueConstraint(fields=('code', 'version'), name='morphology_feature_version_unique'),
        ),
        migrations.AddConstraint(
            model_name='morphologyfeature',
            constraint=models.CheckConstraint(condition=models.Q(('line__in', ['red', 'white', 'platelet']), ('unit__in', ['', 'red_cells', 'white_cells', 'neutrophils', 'lymphocytes', 'platelets'])), name='morphology_feature_known_values'),
        ),
        migrations.AddConstraint(
            model_name='morphologyfeature',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('one_above', None), ('three_above', None), ('two_from', None), ('unit', '')), models.Q(models.Q(('unit', ''), _negated=True), models.Q(('one_above', None), ('three_above', None), ('two_from', None), _negated=True)), _connector='OR'), name='morphology_feature_cut_offs_have_unit'),
        ),
        migrations.AddConstraint(
            model_name='morphologyfeature',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('one_above', None), models.Q(models.Q(('two_from', None), ('two_from__gte', models.F('one_above')), _connector='OR'), models.Q(('three_above', None), ('three_above__gte', models.F('one_above')), _connector='OR')), _connector='OR'), models.Q(('two_from', None), ('three_above', None), ('three_above__gte', models.F('two_from')), _connector='OR')), name='morphology_feature_cut_offs_rise'),
        ),
        migrations.AddConstraint(
            model_name='morphologyfeature',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('approved_by', None)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False)), _connector='OR'), name='morphology_feature_approval_whole'),
        ),
        migrations.AddConstraint(
            model_name='morphologyfeature',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('retired_at', None), ('retired_by', None)), models.Q(('retired_at__isnull', False), ('retired_by__isnull', False)), _connector='OR'), name='morphology_feature_retirement_whole'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='morphologyfeature',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='691ad738ccf6710ff4f3cf2155d7bc997f4eab1e', operation='DELETE', pgid='pgtrigger_never_deleted_2e484', table='classifier_morphologyfeature', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='morphologyfeature',
            trigger=pgtrigger.compiler.Trigger(name='says_what_it_said', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."line" IS DISTINCT FROM (NEW."line") OR OLD."unit" IS DISTINCT FROM (NEW."unit") OR OLD."one_above" IS DISTINCT FROM (NEW."one_above") OR OLD."two_from" IS DISTINCT FROM (NEW."two_from") OR OLD."three_above" IS DISTINCT FROM (NEW."three_above") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."is_common" IS DISTINCT FROM (NEW."is_common") OR OLD."position" IS DISTINCT FROM (NEW."position") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."effective_from" IS DISTINCT FROM (NEW."effective_from") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6b87e013a753a807b03fd6c8d9b65ce44581d6f6', operation='UPDATE', pgid='pgtrigger_says_what_it_said_d53e2', table='classifier_morphologyfeature', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='morphologyfinding',
            index=models.Index(fields=['review', 'feature', '-id'], name='classifier__review__6ad1bc_idx'),
        ),
        migrations.AddConstraint(
            model_name='morphologyfinding',
            constraint=models.UniqueConstraint(fields=('action_id', 'feature'), name='morphology_finding_once_a_step'),
        ),
        migrations.AddConstraint(
            model_name='morphologyfinding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('grade__isnull', False), ('grade__lte', 3), ('is_withdrawn', False)), models.Q(('comment', ''), ('count', None), ('grade', None), ('is_overruled', False), ('is_withdrawn', True)), _connector='OR'), name='morphology_finding_graded_or_withdrawn'),
        ),
        migrations.AddConstraint(
            model_name='morphologyfinding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('count', None), ('is_overruled', False)), models.Q(('count__gte', 0), ('count__lte', 100)), _connector='OR'), name='morphology_finding_count_is_percent'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='morphologyfinding',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='28ed30210b5936dd3962d81ad5ef11685a57b815', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_6aab2', table='classifier_morphologyfinding', when='BEFORE')),
        ),
        migrations.RunPython(add_features, migrations.RunPython.noop),
    ]
