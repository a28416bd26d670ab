"""Celery: broker, queues, time limits, schedule.

The database holds the truth; a message is only a hint that work exists. So results are not
kept, and messages are acknowledged only after the work is recorded.
"""

from celery.schedules import crontab

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
CELERY_TASK_ROUTES = {
    "classifier.tasks.classify_waiting_runs": {"queue": "inference"},
    "classifier.tasks.embed_reference_cells": {"queue": "inference"},
    "classifier.tasks.explain_waiting": {"queue": "inference"},
    "learning.tasks.evaluate_waiting": {"queue": "inference"},
    "learning.tasks.read_in_shadow": {"queue": "inference"},
    "quality.tasks.read_controls": {"queue": "inference"},
}
CELERY_BEAT_SCHEDULE = {
    "reap-runs": {
        "task": "classifier.tasks.reap_runs",
        "schedule": e.REAP_SECONDS,
        # Without a worker these would pile up, and the latest does the work of all.
        "options": {"expires": e.REAP_SECONDS},
    },
    "embed-reference-cells": {
        "task": "classifier.tasks.embed_reference_cells",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "watch-critical-results": {
        "task": "classifier.tasks.watch_critical_results",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "watch-clock": {
        "task": "vault.tasks.watch_clock",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "tend-vault": {
        "task": "vault.tasks.tend_vault",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "reap-explanations": {
        "task": "classifier.tasks.reap_explanations",
        "schedule": e.REAP_SECONDS,
        "options": {"expires": e.REAP_SECONDS},
    },
    "mail-notices": {
        "task": "notifications.tasks.mail_notices",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "cancel-interims": {
        "task": "reports.tasks.cancel_interims",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "tend-research-exports": {
        "task": "reports.tasks.tend_research_exports",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "forget-api-answers": {
        "task": "api.tasks.forget_answers",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "remind-of-tokens": {
        "task": "api.tasks.remind_owners",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "measure-appearance": {
        "task": "quality.tasks.measure_appearance",
        "schedule": 120.0,
        "options": {"expires": 120.0},
    },
    "watch-drift": {
        "task": "quality.tasks.watch_drift",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600.0},
    },
    "read-controls": {
        "task": "quality.tasks.read_controls",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "watch-controls": {
        "task": "quality.tasks.watch_controls",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "tend-reader-checks": {
        "task": "quality.tasks.tend_checks",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "forget-presence": {
        "task": "classifier.tasks.forget_presence",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "tell-webhooks": {
        "task": "exchange.tasks.tell_webhooks",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "check-row-history": {
        "task": "accounts.tasks.check_row_history",
        "schedule": crontab(hour=3, minute=20),
        "options": {"expires": 3_600.0},
    },
    "watch-emergency-access": {
        "task": "classifier.tasks.watch_emergency_access",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "watch-access-reviews": {
        "task": "accounts.tasks.watch_access_reviews",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "watch-readings": {
        "task": "accounts.tasks.watch_readings",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "anchor-audit-trail": {
        "task": "accounts.tasks.anchor_audit_trail",
        "schedule": 900.0,
        "options": {"expires": 900.0},
    },
    "evaluate-models": {
        "task": "learning.tasks.evaluate_waiting",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "read-in-shadow": {
        "task": "learning.tasks.read_in_shadow",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
    "check-model-uploads": {
        "task": "learning.tasks.check_uploads",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "check-set-uploads": {
        "task": "learning.tasks.check_set_uploads",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "gather-training-sets": {
        "task": "learning.tasks.gather_training_sets",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "retrain-models": {
        "task": "learning.tasks.retrain_waiting",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "carry-out-disposals": {
        "task": "retention.tasks.carry_out_disposals",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "tend-patient-copies": {
        "task": "retention.tasks.tend_patient_copies",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "remove-old-notices": {
        "task": "retention.tasks.remove_old_notices",
        "schedule": 86_400.0,
        "options": {"expires": 3_600.0},
    },
    "tend-slides": {
        "task": "classifier.tasks.tend_slides",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
}

# A worker claims at most this many images at once, and holds a claim for at most this long.
CLASSIFICATION_BATCH_SIZE = e.CLASSIFICATION_BATCH_SIZE
CLASSIFICATION_LEASE_SECONDS = e.CLASSIFICATION_LEASE_SECONDS
CLASSIFICATION_MAX_ATTEMPTS = e.CLASSIFICATION_MAX_ATTEMPTS
