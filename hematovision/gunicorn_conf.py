"""gunicorn's settings, the same under `make run` and in a container."""

from hematovision.logging import logging_config
from hematovision.settings import environment as e

wsgi_app = "hematovision.wsgi"
worker_class = "gthread"
workers = e.WEB_WORKERS
threads = 8
# Uploads arrive over hospital Wi-Fi; a thread that waits for them costs little.
timeout = 120
graceful_timeout = 20
keepalive = 5
# Fresh processes from time to time keep memory flat over months.
max_requests = 5000
max_requests_jitter = 500
control_socket_disable = True
logconfig_dict = logging_config(level=e.LOG_LEVEL, as_json=e.LOG_FORMAT == "json")
