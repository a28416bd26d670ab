"""The audit trail's key, and where its anchors go outside the database's reach."""

from hematovision.settings import environment as e

AUDIT_KEY_FILE = e.AUDIT_KEY_FILE
AUDIT_ANCHOR_DIR = e.AUDIT_ANCHOR_DIR
AUDIT_ANCHOR_MAIL = e.AUDIT_ANCHOR_MAIL
PATIENTS_READ_PER_HOUR = e.PATIENTS_READ_PER_HOUR
