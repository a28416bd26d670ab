"""Outgoing mail; without EMAIL_URL nothing is sent and links are handed over in person."""

import environ

from hematovision.settings import environment as e

MAIL_IS_CONFIGURED = bool(e.EMAIL_URL)
_config = environ.Env.email_url_config(e.EMAIL_URL or "dummymail://")
EMAIL_BACKEND = _config["EMAIL_BACKEND"]
EMAIL_HOST = _config.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _config.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _config.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _config.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _config.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _config.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = e.DEFAULT_FROM_EMAIL
