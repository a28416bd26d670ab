"""Keys of the stored files, where these lie, and the programs that copy the database."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from hematovision.embedded import EmbeddedError
from hematovision.embedded.postgres import binaries
from hematovision.settings import environment as e

VAULT_KEYS = e.VAULT_KEYS
VAULT_KEY_FILE = e.VAULT_KEY_FILE

STORAGE_URL = e.STORAGE_URL
STORAGE_ENDPOINT = e.STORAGE_ENDPOINT
STORAGE_REGION = e.STORAGE_REGION
STORAGE_ACCESS_KEY = e.STORAGE_ACCESS_KEY
STORAGE_SECRET_KEY = e.STORAGE_SECRET_KEY
# A file is on the disk before the database says that it is stored.
STORAGE_DURABLE = True

BACKUP_FOLDER = e.BACKUP_FOLDER
BACKUP_HOUR = e.BACKUP_HOUR
BACKUP_KEEP = e.BACKUP_KEEP
BACKUP_LATE_HOURS = e.BACKUP_LATE_HOURS
BACKUP_PASSPHRASE_FILE = e.BACKUP_PASSPHRASE_FILE
if not 0 <= BACKUP_HOUR <= 23:
    raise ImproperlyConfigured("BACKUP_HOUR is an hour of the day, 0 to 23.")
if BACKUP_KEEP < 1 or BACKUP_LATE_HOURS < 1:
    raise ImproperlyConfigured("BACKUP_KEEP and BACKUP_LATE_HOURS are at least 1.")


def _programs() -> Path | None:
    try:
        return binaries()
    except EmbeddedError:
        return None


# PostgreSQL's programs for backups: those that come with the site, else what the system has.
POSTGRES_PROGRAMS = _programs()
