"""Logging: one configuration for web, workers, scheduler and management commands."""

import logging

from hematovision.logging import configure_structlog, logging_config
from hematovision.settings import environment as e
from hematovision.settings.tasks import CELERY_BEAT_SCHEDULE

configure_structlog()
LOGGING = logging_config(
    level=e.LOG_LEVEL,
    as_json=e.LOG_FORMAT == "json",
    routine_tasks=[str(entry["task"]) for entry in CELERY_BEAT_SCHEDULE.values()],
)

DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# Beginnings matter only to who debugs; an end says all, with the time it took.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_SUCCESS_LOG_LEVEL = logging.DEBUG  # Celery says it too
