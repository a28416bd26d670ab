"""Everything the process reads from its environment; no other module reads it."""

import secrets
from pathlib import Path
from urllib.parse import urlsplit

import environ

BASE_DIR = Path(__file__).resolve().parents[2]

env = environ.Env()


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

WEB_WORKERS = env.int("WEB_WORKERS", default=2)

DATABASE_URL = env.str("DATABASE_URL", default="postgresql:///hematovision")
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
# Networks whose X-Forwarded-For header is believed.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])

MODEL_RELEASE = _optional_path("MODEL_RELEASE")
EMAIL_URL = env.str("EMAIL_URL", default="")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="HematoVision <no-reply@localhost>")

# How many images a worker reads at once, how long it may take over them before others may try,
# how often an image is tried, and how often abandoned work is looked for.
CLASSIFICATION_BATCH_SIZE = env.int("CLASSIFICATION_BATCH_SIZE", default=32)
CLASSIFICATION_LEASE_SECONDS = env.int("CLASSIFICATION_LEASE_SECONDS", default=60)
CLASSIFICATION_MAX_ATTEMPTS = env.int("CLASSIFICATION_MAX_ATTEMPTS", default=4)
REAP_SECONDS = env.float("REAP_SECONDS", default=15.0)
