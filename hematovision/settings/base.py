"""Applications, database, storage, templates and language."""

import environ

from hematovision.settings import environment as e

BASE_DIR = e.BASE_DIR
VAR_DIR = e.VAR_DIR
DEBUG = e.DEBUG
SITE_URL = e.SITE_URL

ROOT_URLCONF = "hematovision.urls"
WSGI_APPLICATION = "hematovision.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "django_tables2",
    "health_check",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "vault",
    "notifications",
    "classifier",
    "consultation",
    "reports",
    "exchange",
    "learning",
    "quality",
    "retention",
    "api",
    "demo",
]

MIDDLEWARE = [
    "hematovision.metrics.requests.RequestMetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "accounts.middleware.RequestContextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.PrivateAnswersMiddleware",
    "accounts.middleware.IdleLogoutMiddleware",
    "accounts.middleware.PasswordChangeMiddleware",
    "accounts.second_factor_middleware.SecondFactorMiddleware",
    "accounts.emergency_middleware.EmergencyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "hematovision.failures.DisposedMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

DATABASES = {
    "default": {
        **environ.Env.db_url_config(e.DATABASE_URL),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": e.REDIS_URL}
}

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "vault.storage.VaultStorage"},
    "staticfiles": {"BACKEND": "hematovision.static_files.HashedStaticFiles"},
}
# What is packed already, and maps of others' scripts, which only their developers ask for.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [
    "jpg", "jpeg", "png", "gif", "webp", "zip", "gz", "br", "woff", "woff2", "map",
]  # fmt: skip
# Scripts and styles are for our own pages, which are of the same origin.
WHITENOISE_ALLOW_ALL_ORIGINS = False
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
MAX_UPLOAD_BYTES = 40 * 1024 * 1024
MAX_SLIDE_BYTES = e.MAX_SLIDE_BYTES
UPLOADS_PER_DAY = e.UPLOADS_PER_DAY
UPLOAD_BYTES_PER_DAY = e.UPLOAD_BYTES_PER_DAY
SLIDE_MEMORY_BYTES = e.SLIDE_MEMORY_BYTES

LANGUAGE_CODE = "en"
# The laboratory's own: people type and read times in it. The database keeps UTC.
TIME_ZONE = e.TIME_ZONE
USE_TZ = True

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "api.parsing.PlainJSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
}

# The releases that workers serve, and where real images lie, if anywhere.
MODEL_RELEASE = e.MODEL_RELEASE
DETECTOR_RELEASE = e.DETECTOR_RELEASE
DATA_DIR = e.DATA_DIR
# Copies of registered releases, made on each machine that reads with them.
MODEL_CACHE_DIR = VAR_DIR / "models"
MAX_RELEASE_BYTES = 256 * 1024 * 1024
# Of an archive of labelled pictures, packed and unpacked.
MAX_SET_BYTES = 512 * 1024 * 1024
# What a retraining may take: addresses, of which TensorFlow reserves many, and time, which ends
# before the task does.
RETRAINING_MEMORY_BYTES = 12 * 1024**3
RETRAINING_SECONDS = 480.0

SNOMED_LICENSED = e.SNOMED_LICENSED
WEBHOOK_PRIVATE_NETWORKS = e.WEBHOOK_PRIVATE_NETWORKS
WEBHOOK_SECONDS = e.WEBHOOK_SECONDS
WEBHOOK_LOOPBACK = DEBUG
EXCHANGE_TLS_DIR = e.EXCHANGE_TLS_DIR

LOG_LEVEL = e.LOG_LEVEL
