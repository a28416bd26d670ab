"""Actions that raise an alarm; people are told of these."""

ACTIONS = {
    "emergency.used": "Emergency account used",
    "access_review.overdue": "Access review overdue",
    "audit.anchor_refused": "Audit trail not anchored",
    "control.overridden": "Stopped model released without a good control",
    "history.unexplained": "Rows changed outside the application",
    "history.switched_off": "Row history switched off",
    "model.put_in_use_by_command": "Model put in use by command, without a comparison",
    "patient.mass_reading": "Unusually many patients' records read by one person",
    "patient.break_glass": "Restricted record opened in an emergency",
    "restricted_access.overdue": "Judgement of an emergency access overdue",
    "vault.backup_failed": "Backup failed",
    "vault.backup_late": "No backup for too long",
    "vault.backup_damaged": "Backup damaged",
    "vault.unsound": "Stored files missing, damaged or without a key",
}
