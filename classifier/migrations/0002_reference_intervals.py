"""Adult reference intervals as a starting point; unconfirmed until a named person approves them.

Absolute counts: UK laboratories, typical values chosen from PMC7082321, table 6.
Percentages, age 16 and over: University of Chicago test catalogue.
"""

from datetime import date
from decimal import Decimal

from django.db import migrations

UK = "UK laboratories, typical values (PMC7082321, table 6)"
CHICAGO = "University of Chicago test catalogue, age 16 and over"

ABSOLUTE = {
    "neutrophil": ("2.0", "7.5"),
    "lymphocyte": ("1.0", "4.0"),
    "monocyte": ("0.2", "1.0"),
    "eosinophil": ("0.0", "0.4"),
    "basophil": ("0.0", "0.1"),
}
PERCENT = {
    "neutrophil": ("39", "75"),
    "lymphocyte": ("16", "47"),
    "monocyte": ("4", "12"),
    "eosinophil": ("0", "7"),
    "basophil": ("0", "2"),
}


def add_intervals(apps, schema_editor):
    interval = apps.get_model("classifier", "ReferenceInterval")
    for quantity, source, values in (("absolute", UK, ABSOLUTE), ("percent", CHICAGO, PERCENT)):
        for cell_type, (low, high) in values.items():
            interval.objects.create(
                cell_type=cell_type,
                quantity=quantity,
                low=Decimal(low),
                high=Decimal(high),
                source=source,
                effective_from=date(2026, 1, 1),
            )


class Migration(migrations.Migration):
    dependencies = [("classifier", "0001_initial")]
    operations = [migrations.RunPython(add_intervals, migrations.RunPython.noop)]
