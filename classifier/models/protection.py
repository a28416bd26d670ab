"""Database rules shared by tables whose rows are never changed or removed."""

import pgtrigger

APPEND_ONLY = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
NEVER_DELETED = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]
