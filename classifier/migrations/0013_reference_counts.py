"""Reference counts: studies, their cells, readings and marks; the case is left as it is."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0012_explanations'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReferenceStudy',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('reading', 'Being read'), ('arbitration', 'Waiting for the arbiter'), ('complete', 'Complete'), ('cancelled', 'Cancelled')], default='reading', max_length=12)),
                ('cells_wanted', models.PositiveSmallIntegerField(help_text='cells asked for, for each reader')),
                ('seed', models.PositiveIntegerField()),
                ('opened_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, max_length=250, verbose_name='why it was cancelled')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reference_studies', to='classifier.case')),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-opened_at'],
            },
        ),
        migrations.CreateModel(
            name='ReferenceReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seat', models.PositiveSmallIntegerField(choices=[(1, 'Reader 1'), (2, 'Reader 2'), (3, 'Arbiter')])),
                ('had_seen_record', models.BooleanField(help_text="The reader had looked at the patient's record before.")),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('completed_at', models.DateTimeField(null=True)),
                ('left_at', models.DateTimeField(null=True)),
                ('reader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reference_readings', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='classifier.referencestudy')),
            ],
            options={
                'ordering': ['seat', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='StudyCell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('x0', models.PositiveIntegerField()),
                ('y0', models.PositiveIntegerField()),
                ('x1', models.PositiveIntegerField()),
                ('y1', models.PositiveIntegerField()),
                ('cell', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='classifier.cell')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cells', to='classifier.referencestudy')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='ReferenceMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cell_type', models.CharField(choices=[('neutrophil', 'Neutrophil'), ('lymphocyte', 'Lymphocyte'), ('monocyte', 'Monocyte'), ('eosinophil', 'Eosinophil'), ('basophil', 'Basophil'), ('immature_granulocyte', 'Immature granulocyte'), ('blast', 'Blast'), ('atypical_lymphocyte', 'Atypical lymphocyte'), ('plasma_cell', 'Plasma cell'), ('erythroblast', 'Erythroblast'), ('platelet', 'Platelet'), ('erythrocyte', 'Erythrocyte'), ('smudge_cell', 'Smudge cell'), ('artefact', 'Artefact'), ('unidentified', 'Unidentified')], max_length=24)),
                ('action_id', models.UUIDField(unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('reading', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='marks', to='classifier.referencereading')),
                ('cell', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='marks', to='classifier.studycell')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='referencestudy',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('case',), name='reference_study_one_open'),
        ),
        migrations.AddConstraint(
            model_name='referencestudy',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('status__in', ['reading', 'arbitration'])), models.Q(('ended_at__isnull', False), ('status__in', ['complete', 'cancelled'])), _connector='OR'), name='reference_study_ended_has_time'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='referencestudy',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='8287d52d85e4bab7bc467f0409e6e02bba8a6be4', operation='DELETE', pgid='pgtrigger_never_deleted_d3ba1', table='classifier_referencestudy', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='referencereading',
            index=models.Index(fields=['reader', 'completed_at'], name='classifier__reader__f2f987_idx'),
        ),
        migrations.AddConstraint(
            model_name='referencereading',
            constraint=models.UniqueConstraint(fields=('study', 'reader'), name='reference_reading_once_a_person'),
        ),
        migrations.AddConstraint(
            model_name='referencereading',
            constraint=models.UniqueConstraint(condition=models.Q(('left_at__isnull', True)), fields=('study', 'seat'), name='reference_reading_one_in_a_seat'),
        ),
        migrations.AddConstraint(
            model_name='referencereading',
            constraint=models.CheckConstraint(condition=models.Q(('seat__in', [1, 2, 3])), name='reference_reading_known_seat'),
        ),
        migrations.AddConstraint(
            model_name='referencereading',
            constraint=models.CheckConstraint(condition=models.Q(('completed_at', None), ('left_at', None), _connector='OR'), name='reference_reading_completed_or_left'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='referencereading',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='eb3c8c40862600f06b3d24378e4c2b5e87d2c1c7', operation='DELETE', pgid='pgtrigger_never_deleted_e18a3', table='classifier_referencereading', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='studycell',
            constraint=models.UniqueConstraint(fields=('study', 'position'), name='study_cell_position_unique'),
        ),
        migrations.AddConstraint(
            model_name='studycell',
            constraint=models.UniqueConstraint(fields=('study', 'cell'), name='study_cell_once_a_study'),
        ),
        migrations.AddConstraint(
            model_name='studycell',
            constraint=models.CheckConstraint(condition=models.Q(('x1__gt', models.F('x0')), ('y1__gt', models.F('y0'))), name='study_cell_box_has_area'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='studycell',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7b7de439e93fac7c9cb056261764778e36b9e2de', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a3e80', table='classifier_studycell', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='referencemark',
            index=models.Index(fields=['reading', 'cell', '-id'], name='classifier__reading_22f08d_idx'),
        ),
        migrations.AddConstraint(
            model_name='referencemark',
            constraint=models.CheckConstraint(condition=models.Q(('cell_type__in', ['neutrophil', 'lymphocyte', 'monocyte', 'eosinophil', 'basophil', 'immature_granulocyte', 'blast', 'atypical_lymphocyte', 'plasma_cell', 'erythroblast', 'platelet', 'erythrocyte', 'smudge_cell', 'artefact', 'unidentified'])), name='reference_mark_known_class'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='referencemark',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1c05fc64434e264310e57cab351e8fa8614b9444', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_fbc12', table='classifier_referencemark', when='BEFORE')),
        ),
    ]
