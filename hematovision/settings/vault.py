"""Keys of the stored files, where these lie, and the programs that copy the database."""

from pathlib import Path

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


def _programs() -> Path | None:
    try:
        return binaries()
    except EmbeddedError:
        return None


# PostgreSQL's programs for backups: those that come with the site, else what the system has.
POSTGRES_PROGRAMS = _programs()
