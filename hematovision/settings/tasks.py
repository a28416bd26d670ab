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
# A child that starts on a busy machine is not taken for dead.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60.0
# Work goes on while the broker is away, as the database knows who holds what.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False

# Workers and scheduler wait for a lost broker for ever; whoever publishes gives up soon.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 2.0
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the hard limit, so that a message never reappears while its task still runs.
    "visibility_timeout": 600,
    "socket_connect_timeout": 2.0,
    "socket_timeout": 3.0,
    **CELERY_TASK_PUBLISH_RETRY_POLICY,
}

CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"classifier.tasks.classify_waiting_runs": {"queue": "inference"}}
CELERY_BEAT_SCHEDULE = {
    "reap-runs": {
        "task": "classifier.tasks.reap_runs",
        "schedule": e.REAP_SECONDS,
        # Without a worker these would pile up, and the latest does the work of all.
        "options": {"expires": e.REAP_SECONDS},
    },
}

# A worker claims at most this many images at once, and holds a claim for at most this long.
CLASSIFICATION_BATCH_SIZE = e.CLASSIFICATION_BATCH_SIZE
CLASSIFICATION_LEASE_SECONDS = e.CLASSIFICATION_LEASE_SECONDS
CLASSIFICATION_MAX_ATTEMPTS = e.CLASSIFICATION_MAX_ATTEMPTS
