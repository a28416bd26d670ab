"""Celery: broker, queues, time limits, schedule.

The database holds the truth; a message is only a hint that work exists. So results are not
kept, and messages are acknowledged only after the work is recorded.
"""

from hematovision.settings import environment as e

CELERY_BROKER_URL = e.REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
# Longer than the hard limit, so that a message never reappears while its task still runs.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"classifier.tasks.classify_waiting_runs": {"queue": "inference"}}
CELERY_BEAT_SCHEDULE = {
    "reap-runs": {"task": "classifier.tasks.reap_runs", "schedule": 15.0},
}

# A worker claims at most this many images at once, and holds a claim for at most this long.
CLASSIFICATION_BATCH_SIZE = 32
CLASSIFICATION_LEASE_SECONDS = 120
CLASSIFICATION_MAX_ATTEMPTS = 3
