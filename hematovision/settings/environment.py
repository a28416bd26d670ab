"""Everything the process reads from its environment; no other module reads it."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import environ

BASE_DIR = Path(__file__).resolve().parents[2]

env = environ.Env()

# Before NumPy is loaded: cores are shared out by pictures, and threads that wait for each other
# within so small a product of matrices make the matching of fields ten times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def _optional_path(name: str) -> Path | None:
    value = env.str(name, default="")
    return Path(value).expanduser().resolve() if value else None


def _kept_secret(path: Path) -> str:
    """Return the secret stored at ``path``, made on first use and readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text()


VAR_DIR = _optional_path("HEMATOVISION_VAR") or BASE_DIR / "var"
DATA_DIR = _optional_path("HEMATOVISION_DATA")
WEIGHTS_DIR = _optional_path("HEMATOVISION_WEIGHTS")

SECRET_KEY = env.str("SECRET_KEY", default="") or _kept_secret(VAR_DIR / "secret_key")
DEBUG = env.bool("DEBUG", default=False)
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="text")

SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
IS_HTTPS = urlsplit(SITE_URL).scheme == "https"
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[urlsplit(SITE_URL).hostname or "", "127.0.0.1", "localhost", "[::1]"]
)

# The hospital's identity provider (OpenID Connect); without an issuer there is none.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME = env.str("OIDC_NAME", default="Hospital account")
OIDC_SCOPES = env.list("OIDC_SCOPES", default=["openid", "email", "profile"])
OIDC_EMAIL_CLAIM = env.str("OIDC_EMAIL_CLAIM", default="email")
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
# Only where the provider's own administrators give out every address, and it doesn't say so.
OIDC_EMAILS_ARE_VERIFIED = env.bool("OIDC_EMAILS_ARE_VERIFIED", default=False)

# With it a monitoring system reads /metrics; without one there is no such page.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

WEB_WORKERS = env.int("WEB_WORKERS", default=2)

DATABASE_URL = env.str("DATABASE_URL", default="postgresql:///hematovision")
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
# Networks whose X-Forwarded-For header is believed.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])

# SNOMED CT codes are sent only by laboratories that hold a licence.
SNOMED_LICENSED = env.bool("SNOMED_LICENSED", default=False)

# Certificates with which the site makes itself known to other systems; their keys lie here alone.
EXCHANGE_TLS_DIR = _optional_path("EXCHANGE_TLS_DIR") or VAR_DIR / "tls"

# Networks inside which webhooks may lead, and how long one call may take in all.
WEBHOOK_PRIVATE_NETWORKS = env.list("WEBHOOK_PRIVATE_NETWORKS", default=[])
WEBHOOK_SECONDS = env.float("WEBHOOK_SECONDS", default=15.0)

# Keys of the stored files, base64, the one for new files first; without them the key file's.
VAULT_KEYS = env.list("VAULT_KEYS", default=[])
VAULT_KEY_FILE = _optional_path("VAULT_KEY_FILE") or VAR_DIR / "vault.keys"

# Where backups are made by themselves, at which hour of the laboratory's day, how many are kept,
# and after how many hours without one people are told; without a folder there are none.
BACKUP_FOLDER = _optional_path("BACKUP_FOLDER")
BACKUP_HOUR = env.int("BACKUP_HOUR", default=2)
BACKUP_KEEP = env.int("BACKUP_KEEP", default=30)
BACKUP_LATE_HOURS = env.int("BACKUP_LATE_HOURS", default=26)
BACKUP_PASSPHRASE_FILE = _optional_path("BACKUP_PASSPHRASE_FILE")

# Where sealed files lie if not in the var folder: s3://bucket/prefix, and how to get in.
STORAGE_URL = env.str("STORAGE_URL", default="")
STORAGE_ENDPOINT = env.str("STORAGE_ENDPOINT", default="")
STORAGE_REGION = env.str("STORAGE_REGION", default="")
STORAGE_ACCESS_KEY = env.str("STORAGE_ACCESS_KEY", default="")
STORAGE_SECRET_KEY = env.str("STORAGE_SECRET_KEY", default="")

MODEL_RELEASE = _optional_path("MODEL_RELEASE")
DETECTOR_RELEASE = _optional_path("DETECTOR_RELEASE")
EMAIL_URL = env.str("EMAIL_URL", default="")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="HematoVision <no-reply@localhost>")

# How many images a worker reads at once, how long it may take over them before others may try,
# how often an image is tried, and how often abandoned work is looked for.
CLASSIFICATION_BATCH_SIZE = env.int("CLASSIFICATION_BATCH_SIZE", default=32)
CLASSIFICATION_LEASE_SECONDS = env.int("CLASSIFICATION_LEASE_SECONDS", default=60)
CLASSIFICATION_MAX_ATTEMPTS = env.int("CLASSIFICATION_MAX_ATTEMPTS", default=4)
REAP_SECONDS = env.float("REAP_SECONDS", default=15.0)

# The largest whole slide, all of its files together.
MAX_SLIDE_BYTES = env.int("MAX_SLIDE_BYTES", default=8 * 1024**3)
UPLOADS_PER_DAY = env.int("UPLOADS_PER_DAY", default=20_000)
UPLOAD_BYTES_PER_DAY = env.int("UPLOAD_BYTES_PER_DAY", default=200 * 1024**3)
# Slides are read in memory, never from a plain file: what one process may hold of them.
_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
SLIDE_MEMORY_BYTES = env.int("SLIDE_MEMORY_BYTES", default=_MEMORY // 4)

# How long a token of the API may live, and how often one may ask for each of its scopes.
API_TOKEN_MAX_DAYS = env.int("API_TOKEN_MAX_DAYS", default=365)
API_READS_PER_MINUTE = env.int("API_READS_PER_MINUTE", default=1200)
API_WRITES_PER_MINUTE = env.int("API_WRITES_PER_MINUTE", default=600)

# Where other systems send orders (HL7 v2) and analysers their results (HL7 v2, ASTM); 0: nowhere.
LISTEN_HOST = env.str("LISTEN_HOST", default="127.0.0.1")
LISTEN_HL7_PORT = env.int("LISTEN_HL7_PORT", default=0)
LISTEN_ASTM_PORT = env.int("LISTEN_ASTM_PORT", default=0)
LISTEN_CERTIFICATE = _optional_path("LISTEN_CERTIFICATE")
LISTEN_KEY = _optional_path("LISTEN_KEY")
LISTEN_CLIENT_AUTHORITY = _optional_path("LISTEN_CLIENT_AUTHORITY")

# By this the database knows the application's own connections, in row history too.
os.environ.setdefault("PGAPPNAME", "hematovision")

# The audit's private key, and where anchors of the trail go: a folder, and people by mail.
AUDIT_KEY_FILE = _optional_path("AUDIT_KEY_FILE") or VAR_DIR / "audit" / "key.pem"
AUDIT_ANCHOR_DIR = _optional_path("AUDIT_ANCHOR_DIR")
AUDIT_ANCHOR_MAIL = env.list("AUDIT_ANCHOR_MAIL", default=[])

# Of how many patients one person may read the record within an hour before others are told.
PATIENTS_READ_PER_HOUR = env.int("PATIENTS_READ_PER_HOUR", default=200)
