"""gunicorn's settings, the same under `make run` and in a container."""

import os
import shutil
import tempfile
from typing import Any

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


def on_starting(_server: Any) -> None:
    """Give the processes a folder in which they add up what they count."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="hematovision-metrics-")


def child_exit(_server: Any, worker: Any) -> None:
    """Forget what only a living process can say."""
    from prometheus_client import multiprocess  # noqa: PLC0415 - it reads the folder's name at once

    multiprocess.mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    """Take the folder away."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
