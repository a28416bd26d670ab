"""A change of one row, noted by the database itself."""

from django.db import models


class RowChange(models.Model):
    """One row changed, removed or, where that is followed, added. Never changed, never deleted.

    Written by triggers, so statements typed into the database are seen too. ``before`` and
    ``after`` hold the columns that changed; of a removed row all of them. ``transaction_id``
    and ``transaction_at`` (its start) name the transaction: audit events of the same
    transaction say who meant what by it.
    """

    at = models.DateTimeField()
    transaction_id = models.BigIntegerField()
    transaction_at = models.DateTimeField()
    table_name = models.CharField(max_length=63)
    row_id = models.CharField(max_length=64, blank=True)
    operation = models.CharField(max_length=8)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    database_user = models.CharField(max_length=63)
    program = models.CharField(max_length=63, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("table_name", "row_id"), name="rowchange_row"),
            models.Index(fields=("transaction_id",), name="rowchange_transaction"),
        )

    def __str__(self) -> str:
        return f"{self.operation} of {self.table_name} {self.row_id}"
