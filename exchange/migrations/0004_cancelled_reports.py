"""Receivers of interim reports also hear when such a report is cancelled."""

from django.db import migrations

ADD = """
UPDATE exchange_peer SET report_statuses = array_append(report_statuses, 'cancelled')
    WHERE 'preliminary' = ANY(report_statuses) AND NOT 'cancelled' = ANY(report_statuses);
"""
REMOVE = """
UPDATE exchange_peer SET report_statuses = array_remove(report_statuses, 'cancelled');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0003_webhooks"),
        ("reports", "0005_cancelled_reports"),
    ]

    operations = [migrations.RunSQL(ADD, REMOVE)]
